"""Where a verdict hangs on what was held equal: the width, or the size of the model.

"GRU or LSTM" has two fair readings. A GRU as wide as an LSTM is a quarter smaller; a GRU with as
many parameters is wider. A study that declares both answers both, and this module sets the two
answers side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from gatewise.artifacts.comparison import BudgetSensitivity, BudgetVerdict, Pair
from gatewise.config import VariantConfig

EQUAL = {
    "hidden": "equal width",
    "parameters": "equal parameters",
    "macs": "equal multiply-accumulates",
    "training_macs": "equal training cost",
}


def assess(
    variants: Mapping[str, VariantConfig], pairs: Sequence[Pair]
) -> tuple[BudgetSensitivity, ...]:
    """Verdicts of one cell against one reference under each budget that the study declares.

    Args:
        variants: the study's.
        pairs: one task's.

    Returns:
        One entry for each cell and reference that were compared under two budgets or more.
    """
    by_cell: dict[tuple[str, str], list[BudgetVerdict]] = {}
    for pair in pairs:
        if pair.primary:
            for cell, reference, verdict in _verdicts(variants, pair):
                by_cell.setdefault((cell, reference), []).append(verdict)
    return tuple(
        BudgetSensitivity(
            cell=cell, reference=reference, budgets=tuple(verdicts), change=_change(verdicts)
        )
        for (cell, reference), verdicts in by_cell.items()
        if len({verdict.equal for verdict in verdicts}) > 1
    )


def _verdicts(
    variants: Mapping[str, VariantConfig], pair: Pair
) -> Iterator[tuple[str, str, BudgetVerdict]]:
    """What a pair says of a cell against a reference, read either way round."""
    if pair.difference is None:
        return
    for name, reference, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
        budget = _held_equal(variants[name], reference, variants[reference])
        if budget is None:
            continue
        winner = {name: "cell", reference: "reference"}.get(pair.verdict, pair.verdict)
        yield (
            variants[name].cell,
            reference,
            BudgetVerdict.model_validate(
                {
                    "equal": EQUAL[budget],
                    "variant": name,
                    "difference": sign * pair.difference,
                    "winner": winner,
                }
            ),
        )


def _held_equal(variant: VariantConfig, name: str, reference: VariantConfig) -> str | None:
    """What `variant` has in common with the variant `name`, another cell; `None` if nothing."""
    if variant.cell == reference.cell:
        return None
    if variant.match is not None:
        return variant.match.quantity if variant.match.reference == name else None
    same = reference.match is None and variant.hidden == reference.hidden
    return "hidden" if same else None


def _change(verdicts: Sequence[BudgetVerdict]) -> Literal["flips", "changes", "none"]:
    winners = {verdict.winner for verdict in verdicts}
    if winners >= {"cell", "reference"}:
        return "flips"
    return "changes" if len(winners) > 1 else "none"
