"""Put first on PYTHONPATH by `benchmarks.breakdown`: every Python process notes what it is doing.

A thread looks at the main thread's stack fifty times a second and writes the time, the process's
role and the innermost activity it knows. Nothing that is measured is changed for it; the warm
process itself gets no thread, because a process with two cannot fork safely, but its children do.
"""

import os
import sys
import threading
import time
from pathlib import Path

PERIOD = 0.02
FOLDER = os.environ.get("GATEWISE_TIMELINE", "")

# Where a frame's code lies, its functions (all if none are named), what that means.
ACTIVITIES = (
    ("<frozen importlib", (), "imports"),
    ("gatewise/execution/warm.py", ("ensure", "fork"), "waiting to start"),
    ("tracking/live.py", ("close",), "MLflow"),
    ("training/datamodule.py", ("__getitem__", "__iter__"), "batches"),
    ("training/distributed.py", ("__getitem__",), "batches"),
    ("training/module.py", ("training_step", "configure_gradient_clipping"), "steps"),
    ("training/distributed.py", ("training_step",), "steps"),
    ("training/module.py", ("validation_step", "on_validation_epoch_end"), "validation"),
    ("training/module.py", ("predict_step",), "scoring"),
    ("training/module.py", ("epoch_row", "train_values"), "records"),
    ("torch/_tensor.py", ("backward",), "steps"),
    ("torch/autograd/", (), "steps"),
    ("torch/optim/", (), "steps"),
    ("training/checkpoint.py", (), "checkpoints"),
    ("execution/workers.py", ("on_epoch", "on_resumed"), "records"),
    ("training/callbacks.py", ("on_train_epoch_end",), "records"),
    ("loops/evaluation_loop.py", (), "validation"),
    ("loops/prediction_loop.py", (), "scoring"),
    ("training/lean.py", (), "Lightning"),
    ("pytorch_lightning/", (), "Lightning"),
    ("lightning_fabric/", (), "Lightning"),
    ("training/fit.py", (), "set-up and results"),
    ("training/one_run.py", (), "set-up and results"),
)


def activity(frame):
    """What the innermost frame that means something means."""
    while frame is not None:
        name = frame.f_code.co_filename
        for part, functions, meaning in ACTIVITIES:
            if part in name and (not functions or frame.f_code.co_name in functions):
                return meaning
        frame = frame.f_back
    return "other"


def role(forked):
    """Which part of a study this process is."""
    if not forked:
        if any(part.endswith("/dvc") for part in sys.orig_argv[:3]):
            return "dvc"
        module, *arguments = (*sys.orig_argv, "", "")[2:]
        if module.startswith("pipeline."):
            return " ".join(["stage", module.removeprefix("pipeline."), *arguments]).strip()
        return "else"
    if "/pipeline/" in sys.argv[0]:
        return "in stage"
    frame = sys._current_frames().get(threading.main_thread().ident)
    while frame is not None:
        if frame.f_code.co_name == "train_and_report":
            return "worker"
        frame = frame.f_back
    return "else"


def watch(forked):
    """Write a line each period for as long as the process lives."""
    main = threading.main_thread().ident
    with Path(FOLDER, f"{os.getpid()}.tsv").open("a", buffering=1) as stream:
        while True:
            frame = sys._current_frames().get(main)
            stream.write(f"{time.time():.3f}\t{role(forked)}\t{activity(frame)}\n")
            del frame
            time.sleep(PERIOD)


def start(forked):
    """Begin to watch this process."""
    threading.Thread(target=watch, args=(forked,), daemon=True).start()


if FOLDER:
    os.register_at_fork(after_in_child=lambda: start(forked=True))
    if "gatewise.execution.warm" not in sys.orig_argv:
        start(forked=False)
