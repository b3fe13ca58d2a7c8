"""What holds of every objective; a new one is tested by being there."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.artifacts import objectives, predictions
from gatewise.artifacts.predictions import Predictions
from gatewise.config.metrics import METRICS
from gatewise.config.objectives import objective_class, objective_kinds
from gatewise.diagnostics import opponents
from gatewise.serving import pyfunc
from tests.artifacts.objectives.made_up import answered, names, objective, spoken, together, unasked

KINDS = objective_kinds()


@pytest.fixture(params=KINDS)
def asks(request):
    return objective(request.param)


def frame(columns, examples):
    rows = {"id": [f"{i:03d}" for i in range(examples)], "group": ["g", "h"] * (examples // 2)}
    return pd.DataFrame(rows | {name: list(values) for name, values in columns.items()})


def equal(some, others):
    for name, values in some.items():
        for a, b in zip(values, others[name], strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b), err_msg=name)


def test_every_objective_says_what_it_is(asks):
    assert asks.title
    assert set(asks.metrics) <= METRICS.keys()
    assert asks.slices in asks.metrics
    assert asks.kind in KINDS
    assert objectives.of(asks.model_dump(), names(asks)) == asks
    assert asks.outputs(names(asks)) >= 1


def test_no_metric_belongs_to_two_objectives():
    named = [name for kind in KINDS for name in objective_class(kind).metrics]
    assert sorted(named) == sorted(METRICS)


def test_the_loss_of_a_padded_batch_is_the_mean_over_its_examples(asks):
    parts = answered(asks)
    whole = asks.loss(together(parts))
    assert whole.ndim == 0
    alone = torch.stack([asks.loss(part) for part in parts]).mean()
    torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-6)
    assert asks.mean_loss(parts) == pytest.approx(float(alone), rel=1e-4)


def test_every_output_learns(asks):
    part = together(answered(asks))
    outputs = part.outputs.clone().requires_grad_()
    asks.loss(part._replace(outputs=outputs)).backward()
    assert outputs.grad is not None
    assert bool(torch.isfinite(outputs.grad).all())
    moved = outputs.grad.abs().flatten(0, -2).sum(0)
    assert bool((moved > 0).all())


def test_what_lowers_the_loss_betters_the_first_metric(asks):
    part = together(answered(asks))
    before = asks.scores([part])
    outputs = part.outputs.clone().requires_grad_()
    optimiser = torch.optim.Adam([outputs], lr=0.1)
    for _ in range(150):
        optimiser.zero_grad()
        asks.loss(part._replace(outputs=outputs)).backward()
        optimiser.step()
    after = asks.scores([spoken(asks, part._replace(outputs=outputs.detach()))])
    metric = METRICS[asks.metrics[0]]
    assert after["loss"] < before["loss"]
    assert metric.gain(after[metric.name] - before[metric.name]) > 0


def test_scores_are_those_of_the_registry_in_single_precision(asks):
    values = asks.scores([together(answered(asks))])
    assert set(values) == {*asks.metrics, "loss"}
    assert all(value == float(np.float32(value)) for value in values.values())


@given(st.integers(0, 2**16), st.integers(1, 4))
@settings(max_examples=10, deadline=None)
@pytest.mark.parametrize("kind", KINDS)
def test_counts_add_up_whatever_the_groups(kind, seed, groups):
    asks = objective(kind)
    columns = asks.predictions([together(answered(asks, seed=seed))])
    place = np.random.default_rng(seed).integers(groups, size=14)
    whole, parts = asks.counts(columns), asks.counts(columns, place, groups)
    assert parts.shape == (groups, *whole.shape[1:])
    np.testing.assert_allclose(parts.sum(axis=0), whole[0], rtol=1e-9)
    for metric in asks.registered():
        assert np.isfinite(metric.from_counts(whole)).all()


def test_batches_make_no_difference_to_predictions(asks):
    parts = answered(asks)
    columns = asks.predictions([together(parts)])
    assert set(columns) == set(asks.columns)
    equal(columns, asks.predictions(parts))
    equal(columns, asks.predictions([together(parts[:5]), together(parts[5:])]))


def test_stored_predictions_are_known_by_their_columns_and_read_as_they_were(asks, tmp_path):
    columns = asks.predictions([together(answered(asks))])
    path = tmp_path / "predictions.parquet"
    frame(columns, 14).to_parquet(path, index=False)
    found = predictions.read(path)
    assert found.kind is type(asks)
    equal({name: columns[name] for name in asks.columns}, found.columns)
    np.testing.assert_allclose(found.kind.counts(found.columns), asks.counts(columns))
    assert predictions.absent(pq.read_schema(path).names) == []


def test_digests_tell_answers_apart_and_test_sets_do_not_hang_on_them(asks):
    one, same, other = (
        asks.predictions([together(answered(asks))])
        for asks in (asks, asks, asks)
    )  # fmt: skip
    parts = [spoken(asks, part._replace(outputs=-part.outputs)) for part in answered(asks)]
    other = asks.predictions([together(parts)])
    first, again, third = (Predictions.of_frame(frame(c, 14)) for c in (one, same, other))
    assert first.digest == again.digest != third.digest
    assert first.test_set == third.test_set
    fewer = Predictions.of_frame(frame(one, 14).iloc[1:])
    assert fewer.test_set != first.test_set
    assert asks.same(one, same).all()
    assert not asks.same(one, other).all()


def test_examples_can_be_shown(asks):
    columns = asks.predictions([together(answered(asks))])
    shown = asks.shown(columns, names(asks))
    assert {len(shown.truth), len(shown.answer), len(shown.wrong), len(shown.measure)} == {14}
    assert shown.wrong.dtype == bool
    assert np.isfinite(shown.measure).all()
    assert len(asks.headings) == 3


def test_answers_are_plain_data_with_columns_that_mlflow_knows(asks):
    parts = [unasked(asks, part) for part in answered(asks)]
    found = asks.answers(parts, names(asks))
    assert len(found) == 14
    for one in found:
        assert isinstance(one, asks.answer)
        assert json.loads(json.dumps(one.plain(), allow_nan=False)) == one.plain()
        assert len(one.cells()) == len(asks.answer.headings) >= 2
        assert all(isinstance(cell, str) for cell in (one.said, *one.cells()))
        assert list(one.row()) == list(found[0].row())
    assert len(pyfunc.answer_columns(asks.answer)) == len(fields(asks.answer))


def test_a_model_is_judged_on_other_data_as_on_its_own(asks):
    parts = answered(asks)
    columns = asks.predictions([together(parts)])
    own = asks.judgeable(columns, names(asks))
    anew = asks.judge(parts, list(own["truth"]), names(asks))
    unit = np.zeros(14, dtype=np.int64)
    for judged in (own, anew):
        kept = asks.judged(judged, names(asks)).where(np.arange(14) % 2 == 0)
        counts = kept.counts(unit[::2], 1, max(kept.classes, asks.counts(columns).shape[2]))
        expected = asks.counts(asks.predictions(parts[::2]))
        np.testing.assert_allclose(counts, expected, rtol=1e-6)


def test_every_objective_has_simple_opponents(asks):
    import importlib

    module = importlib.import_module(opponents.module_of(asks.kind))
    assert issubclass(module.Opponents, opponents.Opponents)
