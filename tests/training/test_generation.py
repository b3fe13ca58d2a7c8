"""Models that say their answer, trained as every other."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
import torch

from gatewise.artifacts import runs
from gatewise.artifacts.plan import RunPlan
from gatewise.artifacts.prepared import Prepared
from gatewise.artifacts.runs import RunRecord
from gatewise.config import SplitConfig, TrainConfig, VariantConfig
from gatewise.models.building import build
from gatewise.models.complexity import Sizes, sequence_macs
from gatewise.training import checkpoint, one_run, trial
from gatewise.training.datamodule import TaskData
from gatewise.training.distributed import Group, SharedLearning, SharedTaskData
from gatewise.training.fit import fit
from gatewise.training.job import Job
from gatewise.training.module import SequenceLearning
from tests import translated

FILES = (runs.WEIGHTS, runs.CURVES, runs.PREDICTIONS, runs.RECORD)


def plan(cell="gru", **train):
    settings = {"epochs": 2, "batch_size": 16, "learning_rate": 0.02, **train}
    return RunPlan(
        task="toy",
        variant=cell,
        config=VariantConfig(cell=cell, hidden=12, embedding=8, bidirectional=True, dropout=0.1),
        reference=None,
        train=TrainConfig(**settings),
        split=SplitConfig(),
        augment=None,
        metric="token_error_rate",
        seeds=(0,),
        threads=1,
        accelerator="cpu",
        precision="32-true",
    )


def several():
    """Two phrases of three have another translation, its words in reverse."""
    return [
        (first, f"{other}\n{' '.join(reversed(other.split()))}" if row % 3 else other)
        for row, (first, other) in enumerate(translated.pairs())
    ]


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    root = tmp_path_factory.mktemp("generated")
    translated.make(root, several())
    return root / "data/prepared/toy"


def run(task, folder, name, **train):
    target = folder / name
    target.mkdir()
    return one_run.train(Job(plan(**train), 0, "k", task, target), lambda *_: None)


def test_a_run_leaves_what_every_run_leaves(task, tmp_path):
    record = run(task, tmp_path, "run")
    assert RunRecord.read(tmp_path / "run") == record
    table = pd.read_parquet(tmp_path / "run" / runs.PREDICTIONS)
    assert {"reference", "said", "counts"} <= set(table)
    limit = TaskData(Prepared.open(task), 0, 16).longest_answer()
    assert table["said"].map(len).max() <= limit == 5
    assert {"bleu", "chrf", "token_error_rate", "exact_match"} <= set(record.metrics["test"])
    curves = pd.read_csv(tmp_path / "run" / runs.CURVES)
    assert curves["train_loss"].iloc[1] < curves["train_loss"].iloc[0]


def test_a_killed_run_ends_in_the_same_bytes(task, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHARE", math.inf)  # after every epoch

    class KilledError(Exception):
        pass

    def kill(epoch, _values):
        if epoch == 2:
            raise KilledError

    run(task, tmp_path, "whole", epochs=3)
    target = tmp_path / "resumed"
    target.mkdir()
    job = Job(plan(epochs=3), 0, "k", task, target, tmp_path / "c.ckpt")
    with pytest.raises(KilledError):
        one_run.train(job, kill)
    told = []
    one_run.train(job, lambda epoch, _: told.append(epoch))
    assert told == [2, 3]
    for name in FILES:
        assert (target / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_training_draws_an_answer_and_evaluation_shows_all(task):
    data = TaskData(Prepared.open(task), 0, 16)
    stored = dict(enumerate(data.alternatives.counts))
    assert set(stored.values()) == {1, 2}
    for batch in data.train_dataloader():
        assert (batch.targets >= 0).all(), "no separator is learnt"
        assert (batch.target_lengths <= 5).all()
    shown = torch.cat([(batch.targets == -1).any(1) for batch in data.val_dataloader()])
    assert shown.any()


def test_batches_are_of_texts_of_like_lengths(task):
    data = TaskData(Prepared.open(task), 0, 8)
    wasted = [
        int((batch.target_lengths.max() - batch.target_lengths).sum())
        for batch in data.train_dataloader()
    ]
    lengths = data.answer_lengths(data.rows["train"])
    apart = np.random.default_rng(0).permutation(lengths)
    chunks = [apart[at : at + 8] for at in range(0, len(apart), 8)]
    assert sum(wasted) < 0.5 * sum(int((chunk.max() - chunk).sum()) for chunk in chunks)


def test_variants_of_a_seed_see_the_same_answers(task):
    first, other = (TaskData(Prepared.open(task), 5, 16) for _ in range(2))
    for one, same in zip(first.train_dataloader(), other.train_dataloader(), strict=True):
        assert torch.equal(one.targets, same.targets)


@pytest.mark.parametrize("size", [2, 3])
def test_shares_learn_what_whole_batches_teach(task, size):
    prepared = Prepared.open(task)
    torch.manual_seed(0)
    settings = plan().config.model_copy(update={"dropout": 0.0})
    model = build(settings, Sizes.of(prepared.card))
    alone = SequenceLearning(model, TrainConfig(label_smoothing=0.1), prepared.card.asks)
    members = [
        SharedLearning(copy.deepcopy(model), alone.config, alone.objective) for _ in range(size)
    ]
    given = (prepared, 3, 7)
    shared = [
        SharedTaskData(Group(rank, size, 1), *given).train_dataloader() for rank in range(size)
    ]
    for whole, *shares in zip(TaskData(*given).train_dataloader(), *shared, strict=True):
        alone.zero_grad()
        alone.training_step(whole, 0).backward()
        for member, share in zip(members, shares, strict=True):
            member.zero_grad()
            member.training_step(share, 0).backward()
        for parameter, *parts in zip(
            alone.parameters(), *(member.parameters() for member in members), strict=True
        ):
            mean = torch.stack([part.grad for part in parts]).mean(0)
            torch.testing.assert_close(mean, parameter.grad, rtol=1e-4, atol=1e-6)


def test_validation_measures_the_loss_that_training_lowers(task):
    """Log-probabilities of single answers, and logits of them, cost the same."""
    prepared = Prepared.open(task)
    torch.manual_seed(0)
    model = build(plan().config, Sizes.of(prepared.card)).eval()
    model.set_longest(5)
    objective = prepared.card.asks
    data = TaskData(prepared, 0, 16)
    with torch.inference_mode():
        for batch in data.val_dataloader():
            single = (batch.targets == -1).sum(1) == 0
            one = batch._replace(**{name: part[single] for name, part in batch._asdict().items()})
            taught, answered = model.taught(one), model.answered(one)
            torch.testing.assert_close(objective.loss(answered), objective.loss(taught))


def test_arithmetic_of_a_training_counts_what_is_read_and_said(task):
    fitted = fit(plan(epochs=1), 0, Prepared.open(task))
    data, sizes = fitted.data, Sizes.of(fitted.data.prepared.card)
    rows = data.rows["train"]
    each = [
        sequence_macs(fitted.config, sizes, int(steps), int(said) + 1)
        for steps, said in zip(
            data.clean_sequences.lengths[rows], data.answer_lengths(rows), strict=True
        )
    ]
    assert trial.training_macs(fitted) == 3.0 * sum(each)


def test_it_learns_to_translate(tmp_path):
    translated.make(tmp_path, translated.pairs(320))
    learns = plan("lstm", epochs=16, learning_rate=0.02)
    settings = learns.config.model_copy(update={"hidden": 32, "embedding": 32, "dropout": 0.0})
    learns = learns.model_copy(update={"config": settings})
    fitted = fit(learns, 0, Prepared.open(tmp_path / "data/prepared/toy"))
    assert fitted.curves[-1]["validation_token_error_rate"] < 0.1
