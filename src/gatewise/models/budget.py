"""Equal conditions: the width, or the epochs, at which one variant costs what another does."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise.config import VariantConfig
from gatewise.errors import GatewiseError
from gatewise.models import cells, initialisation, recurrence
from gatewise.models.complexity import Sizes, cell_options, macs_per_step, recurrent_parameters

FARTHEST = 0.25
"""A match farther off than this share of the budget is refused: it would not be one."""
WIDEST = 1 << 16


@dataclass(frozen=True)
class Budget:
    """A variant with its width solved."""

    variant: VariantConfig
    epochs_factor: float
    """What `train.epochs` is multiplied by."""
    sentence: str
    """How the width (or the epochs) came about."""


def resolve(variant: VariantConfig, reference: VariantConfig | None, sizes: Sizes) -> Budget:
    """Solve `variant.match` against the variant it names.

    `parameters` and `macs` are those of the recurrence alone: the embedding and the classifier
    are the task's, not the cell's.

    Raises:
        GatewiseError: the reference is missing, no width comes within 25 % of its budget, or the
            variant's cell cannot be built so.
    """
    kind = cells.get(variant.cell)
    recurrence.choose_kernel(kind, variant.kernel)
    initialisation.check(kind, variant.init, variant.forget_bias)
    budget = _resolve(variant, reference, sizes)
    assert budget.variant.hidden is not None  # noqa: S101  (for the type checker)
    kind.check_options(budget.variant.hidden, **cell_options(variant))
    return budget


def _resolve(variant: VariantConfig, reference: VariantConfig | None, sizes: Sizes) -> Budget:
    if variant.match is None:
        return Budget(variant, 1.0, f"width {variant.hidden} as given")
    name = variant.match.reference
    if reference is None or reference.hidden is None:
        raise GatewiseError(f"match: the variant {name!r} must be given, with a width of its own")
    if variant.match.quantity == "hidden":
        return Budget(
            _solved(variant, reference.hidden), 1.0, f"width {reference.hidden}, {name}'s"
        )
    if variant.match.quantity == "training_macs":
        return _equal_training(_solved(variant, variant.hidden), reference, name, sizes)
    return _nearest_width(variant, reference, name, sizes)


def _nearest_width(
    variant: VariantConfig, reference: VariantConfig, name: str, sizes: Sizes
) -> Budget:
    assert variant.match is not None  # noqa: S101  (for the type checker)
    by_macs = variant.match.quantity == "macs"
    cost, unit = (
        (macs_per_step, "multiply-accumulates per step")
        if by_macs
        else (recurrent_parameters, "recurrent parameters")
    )
    target = cost(reference, sizes)
    narrow, wide = 0, 1  # cost(narrow) < target <= cost(wide), once the loops are through
    while cost(_solved(variant, wide), sizes) < target and wide < WIDEST:
        narrow, wide = wide, 2 * wide
    while wide - narrow > 1:
        middle = (narrow + wide) // 2
        if cost(_solved(variant, middle), sizes) < target:
            narrow = middle
        else:
            wide = middle
    width = min(max(narrow, 1), wide, key=lambda w: abs(cost(_solved(variant, w), sizes) - target))
    solved = _solved(variant, width)
    reached = cost(solved, sizes)
    off = reached / target - 1
    if abs(off) > FARTHEST:
        raise GatewiseError(
            f"match: {{{variant.match.quantity}: {name}}}: the nearest width of cell "
            f"{variant.cell!r} is {width} with {reached:,} {unit}, {_percent(off)} the {target:,} "
            f"of {name}; give a width with `hidden`, or a larger {name}"
        )
    return Budget(
        solved, 1.0, f"width {width}: {reached:,} {unit}, {_percent(off)} {name}'s {target:,}"
    )


def _equal_training(
    variant: VariantConfig, reference: VariantConfig, name: str, sizes: Sizes
) -> Budget:
    own, target = macs_per_step(variant, sizes), macs_per_step(reference, sizes)
    factor = target / own
    return Budget(
        variant,
        factor,
        f"epochs x {factor:.3f}: {own:,} multiply-accumulates per step against {name}'s {target:,}",
    )


def _solved(variant: VariantConfig, hidden: int | None) -> VariantConfig:
    return variant.model_copy(update={"hidden": hidden, "match": None})


def _percent(off: float) -> str:
    if off == 0:
        return "exactly"
    return f"{abs(off):.2%} {'more' if off > 0 else 'fewer'} than"
