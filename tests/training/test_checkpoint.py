import json
import math
import os
import random
import time
import zipfile

import pytest

from gatewise.artifacts import runs
from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.execution import warm
from gatewise.execution.dispatch import Dispatch
from gatewise.execution.finished_runs import FinishedRuns
from gatewise.execution.variant_runs import train_variant
from gatewise.training import checkpoint, one_run
from gatewise.training.job import Job
from tests.tasks import make_plan, write_task

FILES = (runs.WEIGHTS, runs.CURVES, runs.PREDICTIONS, runs.RECORD)
EPOCHS = 6


@pytest.fixture(autouse=True)
def _every_epoch(request, monkeypatch):
    """Small models are saved after every epoch, so that it is known which one is the last."""
    if "clock" not in request.fixturenames:
        monkeypatch.setattr(checkpoint, "SHARE", math.inf)


class KilledError(Exception):
    """Stands for the end of the process."""


class Runner:
    """Trains one plan in this process, to the end or to a chosen epoch."""

    def __init__(self, root, plan, **task):
        self.root, self.plan = root, plan
        write_task(root / "prepared", **task)

    def __call__(self, name, *, until=None, key="key"):
        """Train into `name`; gives the epochs that were trained and what was said."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        told, said = [], []

        def listen(epoch, _values):
            told.append(epoch)
            if epoch == until:
                raise KilledError

        path = self.root / f"{name}.ckpt"
        job = Job(self.plan, 0, key, self.root / "prepared", folder, path)
        try:
            one_run.train(job, listen, lambda *values: said.append(values))
        except KilledError:
            assert until is not None
        return told, said

    def same(self, a, b):
        """Whether two folders hold the same bytes."""
        return all(
            (self.root / a / name).read_bytes() == (self.root / b / name).read_bytes()
            for name in FILES
        )


PLANS = {
    "dropout": {
        "config": VariantConfig(cell="lstm", hidden=8, layers=2, dropout=0.3, input_dropout=0.1)
    },
    "constant rate": {"schedule": "constant"},
    "averaged": {"average_last": 3},
    "label smoothing": {"label_smoothing": 0.1, "schedule": "cosine"},
    "bidirectional": {
        "config": VariantConfig(
            cell="minlstm", hidden=8, bidirectional=True, pooling="attention", init="keras"
        )
    },
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("until", [1, 2, EPOCHS])
def test_a_resumed_run_ends_in_the_same_bytes(tmp_path, name, until):
    run = Runner(tmp_path, make_plan(epochs=EPOCHS, **PLANS[name]), text=name == "dropout")
    whole, _ = run("whole")
    assert whole == list(range(1, EPOCHS + 1))
    # The listener hears of an epoch before it is saved, so that one is repeated and no other.
    first, _ = run("parted", until=until)
    second, said = run("parted")
    assert [*first, *second] == [*range(1, until + 1), *range(until, EPOCHS + 1)]
    done = until - 1
    assert said == ([(done, f"goes on after epoch {done}")] if done else [])
    assert run.same("whole", "parted")


def test_early_stopping_counts_on(tmp_path):
    plan = make_plan(epochs=60, patience=5, schedule="constant", learning_rate=0.02)
    run = Runner(tmp_path, plan, noise=2.0)
    whole, _ = run("whole")
    assert 5 < len(whole) < 60, "early stopping has to be at work here"
    for until in range(2, len(whole) + 1):
        run("parted", until=until)
    run("parted")
    assert run.same("whole", "parted")


@pytest.mark.parametrize("ending", [{}, {"patience": 3}, {"average_last": 2}])
def test_a_run_that_was_trained_is_only_scored(tmp_path, monkeypatch, ending):
    plan = make_plan(epochs=20, schedule="constant", learning_rate=0.2, **ending)
    run = Runner(tmp_path, plan, noise=3.0)
    whole, _ = run("whole")
    with monkeypatch.context() as patched:

        def killed(*_):
            raise KilledError

        patched.setattr(one_run, "score", killed)
        run("parted", until=0)
    told, said = run("parted")
    assert told == []
    assert said == [(len(whole), f"goes on after epoch {len(whole)}")]
    assert run.same("whole", "parted")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda info: info.file_size)
    content[largest.header_offset + 200] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def other_file(path):
    path.write_text("weights, honestly")


class Attack:
    """What a pickle could do."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


def poison(path):
    import torch

    torch.save({"epoch": 1, "callbacks": {"Saver": Attack()}}, path)


@pytest.mark.parametrize("harm", [truncate, flip_a_bit, empty, other_file, poison])
def test_a_damaged_checkpoint_is_named_and_never_used(tmp_path, monkeypatch, harm):
    monkeypatch.chdir(tmp_path)
    run = Runner(tmp_path, make_plan(epochs=3))
    run("whole")
    run("parted", until=2)
    path = tmp_path / "parted.ckpt"
    harm(path)
    told, said = run("parted")
    assert told == [1, 2, 3]
    assert said == [(0, f"the checkpoint {path} is damaged; the run starts anew")]
    assert run.same("whole", "parted")
    assert not (tmp_path / "pwned").exists()


def test_a_checkpoint_of_another_run_is_named_and_never_used(tmp_path):
    run = Runner(tmp_path, make_plan(epochs=3))
    run("whole")
    run("parted", until=2, key="another")
    told, said = run("parted")
    assert told == [1, 2, 3]
    assert "belongs to a run with other settings, data or software; the run starts" in said[0][1]
    assert run.same("whole", "parted")


def test_without_a_place_nothing_is_kept(tmp_path):
    write_task(tmp_path / "prepared")
    (tmp_path / "run").mkdir()
    one_run.train(Job(make_plan(), 0, "key", tmp_path / "prepared", tmp_path / "run"), lambda *_: 0)
    assert {path.name for path in tmp_path.iterdir()} == {"prepared", "run"}


def test_nothing_to_find_is_not_a_mistake(tmp_path):
    assert checkpoint.find(tmp_path / "none.ckpt", "key") is None
    empty(tmp_path / "empty.ckpt")
    with pytest.raises(GatewiseError, match=r"empty\.ckpt is damaged"):
        checkpoint.find(tmp_path / "empty.ckpt", "key")


class Clock:
    """Stands for `time`: training and saving take as long as is said."""

    def __init__(self, epoch, save):
        self.now, self.epoch, self.save = 1000.0, epoch, save

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Sets what an epoch and a save take, in seconds; gives the epochs that were saved."""
    saved = []

    def tick(epoch, save):
        time = Clock(epoch, save)
        monkeypatch.setattr(checkpoint, "time", time)
        write = checkpoint.Saver._save

        def slow(self, trainer):
            write(self, trainer)
            saved.append(trainer.current_epoch + 1)
            time.now += save

        monkeypatch.setattr(checkpoint.Saver, "_save", slow)
        ended = checkpoint.Saver.on_train_epoch_end

        def trained(self, *arguments):
            time.now += epoch
            ended(self, *arguments)

        monkeypatch.setattr(checkpoint.Saver, "on_train_epoch_end", trained)
        return saved

    return tick


@pytest.mark.parametrize(
    ("epoch", "save", "saved"),
    [(1.0, 0.001, [1, 2, 3, 4, 5, 6, 7]), (1.0, 0.025, [1, 4, 7]), (0.01, 1.0, [1, 7])],
)
def test_saving_takes_a_hundredth_of_the_time(tmp_path, clock, epoch, save, saved):
    told = clock(epoch, save)
    Runner(tmp_path, make_plan(epochs=7))("whole")
    assert told == saved


# --- killed for real ---------------------------------------------------------------------------

KILLS = 20


class Diary:
    """An observer that writes down each epoch at once, so that a kill cannot take it away."""

    def __init__(self, path):
        self.path = path

    def run_started(self, seed, key, params):
        self._write("started", seed)

    def epoch(self, seed, epoch, values):
        self._write("epoch", seed, epoch)

    def run_finished(self, seed, folder):
        self._write("finished", seed)

    def run_failed(self, seed, reason):
        self._write("failed", seed, reason)

    def _write(self, *entry):
        with self.path.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")

    def read(self):
        """The entries so far."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]


def stage(root, plan):
    """What a train stage does, in a process that can be killed."""
    train_variant(
        plan,
        root / "prepared",
        root / "target",
        Dispatch(os.environ[warm.ADDRESS]),
        finished=FinishedRuns(root / "cache" / "runs"),
        observers=[Diary(root / "diary.jsonl")],
    )


@pytest.mark.weekly
@pytest.mark.slow
def test_a_study_killed_at_random_moments_ends_in_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.delenv(warm.ADDRESS, raising=False)
    address = warm.ensure(os.getpid(), ["tests.training.every_epoch", __name__])
    model = VariantConfig(cell="gru", hidden=8, dropout=0.2)
    plan = make_plan(seeds=(0, 1), epochs=8, patience=7, config=model)
    whole = tmp_path / "whole"
    write_task(whole / "prepared")
    warm.fork(address, stage, [whole, plan]).wait()  # waits for the imports, too
    began = time.monotonic()
    for name in ("target", "cache"):
        (whole / name).rename(whole / f"first-{name}")
    assert warm.fork(address, stage, [whole, plan]).wait() == 0
    duration = time.monotonic() - began

    moments, kills, study = random.Random(0), 0, 0
    while kills < KILLS:
        study += 1
        root = tmp_path / f"study-{study}"
        root.mkdir()
        (root / "prepared").symlink_to(whole / "prepared")
        diary, best = Diary(root / "diary.jsonl"), {0: 0, 1: 0}
        while not (root / "target").exists():
            child = warm.fork(address, stage, [root, plan])
            seen = len(diary.read())
            try:
                if kills < KILLS:
                    child.wait(moments.uniform(0, duration))
                assert child.wait() == 0
            except TimeoutError:
                child.kill()
                child.wait()
                kills += 1
            for seed, last in best.items():
                mine = [e[2] for e in diary.read()[seen:] if e[:2] == ["epoch", seed]]
                # Whatever was trained before goes on, and at most its last epoch is repeated.
                assert mine == list(range(mine[0], mine[0] + len(mine))) if mine else True
                assert not mine or mine[0] >= last, (seed, mine, last)
                best[seed] = max([last, *mine])
        for seed in plan.seeds:
            for name in FILES:
                ours = root / "target" / f"seed-{seed}" / name
                assert ours.read_bytes() == (whole / "target" / f"seed-{seed}" / name).read_bytes()
        assert not list((root / "cache").rglob("*.ckpt")), "checkpoints outlive their runs"
