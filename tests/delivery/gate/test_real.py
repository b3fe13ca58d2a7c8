"""The gate on trainings that were really done: ten unchanged retrainings, five planted bugs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gatewise import config
from gatewise.artifacts.prepared import Prepared
from gatewise.delivery.gate.assessment import assess
from gatewise.delivery.gate.reference import opened
from gatewise.files import digest, read_json, write_json
from gatewise.models.cells.stock import GRU
from tests.delivery.gate.projects import params
from tests.tasks import make_plan, write_task

pytestmark = pytest.mark.slow

SEEDS = 4
SETTINGS = {"gate": {"margin": 0.03, "resamples": 200, "slices": {"margin": 0.15}}}
EXAMPLES, NOISE = 480, 0.9


def prepare(folder):
    """A project without runs."""
    params(folder, seeds=SEEDS, **SETTINGS)
    write_task(folder / "data/prepared/toy", examples=EXAMPLES, noise=NOISE)
    write_json(folder / "reports/data/toy.json", {"certified": True})
    return folder


def train(folder, luck=0):
    """Train the seeds of the study; another `luck` draws other seeds in tsuccessor place."""
    from gatewise.training import one_run
    from gatewise.training.job import Job

    plan = make_plan(epochs=5, batch_size=32)
    prepared = folder / "data/prepared/toy"
    for seed in range(SEEDS):
        target = folder / "runs/toy/gru" / f"seed-{seed}"
        target.mkdir(parents=True)
        drawn = seed + 1000 * luck
        one_run.train(Job(plan, drawn, f"{luck}-{seed}", prepared, target), lambda *_: None)
        record = read_json(target / "run.json")
        write_json(target / "run.json", {**record, "seed": seed})
    return folder


def verdict(candidate, reference, monkeypatch):
    monkeypatch.chdir(candidate)
    study = config.load()
    with opened(str(reference), ["toy"]) as references:
        (check,) = assess(study, references).tasks["toy"].checks
    return check


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return train(prepare(tmp_path_factory.mktemp("real") / "then"))


def test_ten_unchanged_retrainings_raise_no_alarm(reference, tmp_path, monkeypatch):
    found = [
        verdict(train(prepare(tmp_path / str(luck)), luck), reference, monkeypatch)
        for luck in range(1, 11)
    ]
    assert [check.verdict for check in found].count("regression") == 0
    assert len({check.overall.value for check in found}) > 5, "they are retrainings, not copies"


def changed_index(folder, change):
    """Change the prepared index as a broken pipeline would, with a digest of its own."""
    prepared = folder / "data/prepared/toy"
    index = pd.read_parquet(prepared / "index.parquet")
    change(index)
    index.to_parquet(prepared / "index.parquet", index=False)
    card = read_json(prepared / "task.json")
    write_json(prepared / "task.json", {**card, "digest": digest(index.to_json())})


def label_noise(folder, monkeypatch):
    def spoil(index):
        rows = index.index[(index["split"] == "train")]
        rows = np.random.default_rng(0).permutation(rows)[: int(0.7 * len(rows))]
        index.loc[rows, "label"] = (index.loc[rows, "label"] + 1) % 3

    changed_index(folder, spoil)


def swapped_labels(folder, monkeypatch):
    def spoil(index):
        train = index["split"] == "train"
        index.loc[train, "label"] = index.loc[train, "label"].map({0: 1, 1: 0, 2: 2})

    changed_index(folder, spoil)


def truncated_data(folder, monkeypatch):
    def spoil(index):
        rows = index.index[(index["split"] == "train")][24:]
        index.loc[rows, "split"] = "validation"

    changed_index(folder, spoil)


def broken_front_end(folder, monkeypatch):
    path = folder / "data/prepared/toy/sequences.npy"
    sequences = np.load(path)
    np.save(path, np.repeat(sequences.mean(axis=1, keepdims=True), 4, axis=1))


def bug_in_the_cell(folder, monkeypatch):
    real = GRU.fused

    def forgetful(self, x_tbf, state):
        y, last = real(self, x_tbf, state)
        return y.mean(dim=-1, keepdim=True).expand_as(y), last

    monkeypatch.setattr(GRU, "fused", forgetful)


@pytest.mark.parametrize(
    "spoil", [label_noise, swapped_labels, truncated_data, broken_front_end, bug_in_the_cell]
)
def test_planted_regressions_are_caught_by_the_scores_alone(
    reference, tmp_path, monkeypatch, spoil
):
    folder = prepare(tmp_path / "now")
    spoil(folder, monkeypatch)
    Prepared.open(folder / "data/prepared/toy")
    check = verdict(train(folder, luck=1), reference, monkeypatch)
    assert check.verdict == "regression"
    _low, high = check.overall.bounds(0.025)
    assert high < 0, "the scores say so, whatever data gates say"
