import math

import pytest

from gatewise.errors import DivergedError
from gatewise.training import divergence


def curves(*losses: float) -> list[dict[str, float]]:
    return [{"train_loss": loss} for loss in losses]


@pytest.mark.parametrize(
    ("losses", "classes"),
    [
        ((4e29,), 10),  # no start to compare with
        ((4e29, 4e28), 10),  # falling, and still absurd
        ((2.0, 1.9, 3.0), 10),  # risen well above guessing
        ((0.6, 0.9), 2),
    ],
)
def test_worse_than_guessing_is_diverged(losses: tuple[float, ...], classes: int) -> None:
    with pytest.raises(DivergedError, match=r"loss ended at .*, guessing has"):
        divergence.check_run(curves(*losses), math.log(classes))


@pytest.mark.parametrize(
    ("losses", "classes"),
    [
        ((2.3,), 10),
        ((2.30, 2.31), 10),  # learns nothing, and no worse
        ((0.1, 0.2), 2),  # a schedule may let it rise a little
        ((4.0, 2.5), 10),  # a wild start that is mended
    ],
)
def test_learning_little_is_not(losses: tuple[float, ...], classes: int) -> None:
    divergence.check_run(curves(*losses), math.log(classes))


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_numbers_that_are_none_end_it_at_once(loss: float) -> None:
    with pytest.raises(DivergedError, match="diverged in epoch 3"):
        divergence.check_epoch(3, loss)
