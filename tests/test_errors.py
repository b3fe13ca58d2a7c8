"""What the system refuses is told in a sentence, whoever was asked to write."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from gatewise.errors import GatewiseError, in_words, meaning


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space", "runs/x"), "runs/x: the disk is full"),
        (OSError(errno.EFBIG, "File too large", "runs/x"), "runs/x: larger than files may be"),
        (OSError(errno.EMFILE, "Too many"), "too many open files"),
        (OSError("[Errno 28] Error writing bytes to file"), "while writing: the disk is full"),
        (RuntimeError("I/O error: File too large (os error 27)"), "larger than files may be"),
        (MemoryError(), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out of memory"),
    ],
)
def test_what_users_can_mend_becomes_a_sentence(error, said):
    with pytest.raises(GatewiseError) as info, in_words():
        raise error
    assert said in str(info.value)


@pytest.mark.parametrize(
    "error", [ValueError("[Errno 9999]"), KeyError("x"), BrokenPipeError(errno.EPIPE, "no")]
)
def test_bugs_stay_what_they_are(error):
    assert meaning(error) is None
    with pytest.raises(type(error)), in_words():
        raise error


@pytest.mark.parametrize("library", ["json", "parquet", "safetensors", "npy"])
def test_libraries_that_write_files_themselves_are_understood(tmp_path, library):
    """A limit on the size of files stands for a disk that is full: no root is needed for it."""

    def write():
        import numpy as np

        data = np.random.default_rng(0).random(50_000)
        match library:
            case "json":
                from gatewise.files import write_json

                write_json(tmp_path / "x", data.tolist())
            case "parquet":
                import pandas as pd

                pd.DataFrame({"a": data}).to_parquet(tmp_path / "x")
            case "safetensors":
                from safetensors.numpy import save_file

                save_file({"a": data}, tmp_path / "x")
            case "npy":
                np.save(tmp_path / "x", data)

    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
            with in_words():
                write()
        except GatewiseError as error:
            status = 0 if "ulimit -f" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.argv = ['gatewise']; import gatewise.cli",
        "import sys; sys.argv = ['-m']; import pipeline",
    ],
)
def test_an_interrupt_during_imports_is_no_traceback(project, program):
    process = subprocess.Popen(
        [sys.executable, "-c", f"{program}; print('up', flush=True); import time; time.sleep(60)"],
        env={**os.environ, "PYTHONPATH": f"{project}/src:{project}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background of a shell that controls no jobs inherits deafness to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout.readline().strip() == "up"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert said.startswith("interrupted")
    assert "Traceback" not in said
