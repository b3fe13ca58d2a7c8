import pytest

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models.classifier import SequenceClassifier
from gatewise.models.complexity import Sizes, macs_per_step, parameters, recurrent_parameters


@pytest.mark.parametrize(
    "sizes",
    [
        Sizes(outputs=3, features=5, normalise="clip"),
        Sizes(outputs=2, vocabulary=11),
        Sizes(4, features=3, normalise="train"),
    ],
)
@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "rnn"},
        {"cell": "lstm", "layers": 3},
        {"cell": "gru", "bidirectional": True, "layers": 2},
        {"cell": "lstm", "pooling": "attention", "bidirectional": True},
    ],
)
def test_closed_forms_count_what_is_there(sizes, settings):
    variant = VariantConfig(hidden=6, embedding=4, **settings)
    model = SequenceClassifier(variant, sizes)
    count = sum(p.numel() for p in model.parameters())
    assert parameters(variant, sizes) == count
    recurrent = sum(p.numel() for p in model.recurrence.parameters())
    assert recurrent_parameters(variant, sizes) == recurrent


def test_a_width_that_is_still_to_be_solved_is_refused():
    variant = VariantConfig(cell="gru", match={"parameters": "lstm"})
    with pytest.raises(GatewiseError, match="not solved"):
        macs_per_step(variant, Sizes(outputs=2, features=3))


@pytest.mark.parametrize("given", [{}, {"features": 3, "vocabulary": 5}])
def test_a_task_has_either_features_or_a_vocabulary(given):
    with pytest.raises(GatewiseError, match="either"):
        Sizes(outputs=2, **given)
