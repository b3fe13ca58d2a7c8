"""What models cost that say their answer."""

import pytest
import torch

from gatewise.artifacts.prepared import Prepared
from gatewise.config import VariantConfig
from gatewise.diagnostics import profiling
from gatewise.models.complexity import Sizes, macs_per_step
from tests import translated
from tests.training.test_generation import plan, several


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root = tmp_path_factory.mktemp("costly")
    translated.make(root, several())
    return Prepared.open(root / "data/prepared/toy")


def test_costs_of_encoder_decoders_stand_in_the_same_table(prepared):
    plans = {cell: plan(cell) for cell in ("lstm", "gru")}
    report = profiling.profile(prepared, plans, seconds=0.01)
    sizes = Sizes.of(prepared.card)
    for cell, cost in report.variants.items():
        assert cost.streaming_step_ms is None, "they need the whole input"
        assert cost.macs_per_step == macs_per_step(plans[cell].config, sizes)
        assert cost.inference_ms_batch_1.median > 0
        assert 0 < cost.share_of_peak < 1
        assert cost.size_bytes > 4 * cost.parameters


def test_a_typical_batch_shows_the_usual_answer(prepared):
    batch = profiling.typical_batch(prepared, 16)
    assert (batch.targets >= 0).all()
    assert batch.target_lengths.max() == batch.targets.shape[1]


def test_an_untrained_model_says_a_text_of_usual_length(prepared):
    from gatewise.models.building import build

    torch.manual_seed(0)
    model = build(VariantConfig(cell="gru", hidden=4), Sizes.of(prepared.card)).eval()
    profiling.limit(model, prepared)
    batch = profiling.typical_batch(prepared, 32)
    with torch.inference_mode():
        said = model.answered(batch).said
    assert 3 <= int(model.longest) <= 5
    assert said.shape[1] <= int(model.longest)
