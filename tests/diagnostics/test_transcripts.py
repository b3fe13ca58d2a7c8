"""What is measured of transcripts beside training."""

import pytest

from gatewise.artifacts.plan import ContextPlan
from gatewise.diagnostics import baselines, context, profiling
from gatewise.evidence import context as needed
from tests.spoken import make
from tests.tasks import make_plan


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make(tmp_path_factory.mktemp("spoken"))[0]


def test_single_frames_tell_pitches_apart_and_the_commonest_text_does_not(prepared):
    report = baselines.evaluate(prepared, [0, 1], 1.0, 0.05, 200)
    assert report.metric == "symbol_error_rate"
    found = report.baselines
    assert found["framewise"].mean < 0.7 * found["commonest"].mean
    assert found["commonest"].mean < 1.5
    assert report == baselines.evaluate(prepared, [0, 1], 1.0, 0.05, 200)


def test_costs_are_those_of_the_loss_that_trains(prepared):
    plan = make_plan("gru").model_copy(update={"objective": "transcribe"})
    costs = profiling.profile(prepared, {"gru": plan}, seconds=0.05)
    assert costs.variants["gru"].train_step_ms.median > 0


def test_nobody_is_asked_what_was_said_in_a_part_that_was_cut_away(prepared, tmp_path):
    folder = tmp_path / "toy"
    prepared_folder = make(tmp_path / "own")[0]
    assert prepared_folder.card.digest == prepared.card.digest
    plan = ContextPlan(task="toy", variants={"gru": ("gru",)}, metric="symbol_error_rate")
    report = context.evaluate(plan, [folder], tmp_path / "own/data/prepared/toy", workers=1)
    assert report.steps == ()
    assert needed.summarise(report, 0.005, 0.05) is None
