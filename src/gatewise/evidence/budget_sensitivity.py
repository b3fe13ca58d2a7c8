"""Where a verdict hangs on what was held equal: the width, or the size of the model.

"GRU or LSTM" has two fair readings. A GRU as wide as an LSTM is a quarter smaller; a GRU with as
many parameters is wider. A study that declares both answers both, and this module sets the two
answers side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatewise.config import VariantConfig

EQUAL = {
    "hidden": "equal width",
    "parameters": "equal parameters",
    "macs": "equal multiply-accumulates",
    "training_macs": "equal training cost",
}


def across_budgets(
    variants: Mapping[str, VariantConfig], pairs: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Verdicts of one cell against one reference under each budget that the study declares.

    Args:
        variants: the study's.
        pairs: one task's, judged.

    Returns:
        One entry for each cell and reference that were compared under two budgets or more:
        `cell`, `reference`, `budgets` (`equal`, `variant`, `difference`, `winner`) and `change`:
        `flips` where one budget favours the cell and another the reference, `changes` where the
        verdicts differ otherwise, `none` where they agree. `winner` is `cell`, `reference`,
        `equivalent` or `undecided`; `difference` is the cell's score less the reference's.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for pair in pairs:
        for name, reference, sign in ((pair["a"], pair["b"], 1), (pair["b"], pair["a"], -1)):
            budget = _held_equal(variants[name], reference, variants[reference])
            if budget is None or not pair["primary"] or pair["difference"] is None:
                continue
            winner = {name: "cell", reference: "reference"}.get(pair["verdict"], pair["verdict"])
            found.setdefault((variants[name].cell, reference), []).append(
                {
                    "equal": EQUAL[budget],
                    "variant": name,
                    "difference": sign * pair["difference"],
                    "winner": winner,
                }
            )
    return [
        {"cell": cell, "reference": reference, "budgets": budgets, "change": _change(budgets)}
        for (cell, reference), budgets in found.items()
        if len({budget["equal"] for budget in budgets}) > 1
    ]


def _held_equal(variant: VariantConfig, name: str, reference: VariantConfig) -> str | None:
    """What `variant` has in common with the variant `name`, another cell; `None` if nothing."""
    if variant.cell == reference.cell:
        return None
    if variant.match is not None:
        return variant.match.quantity if variant.match.reference == name else None
    same = reference.match is None and variant.hidden == reference.hidden
    return "hidden" if same else None


def _change(budgets: Sequence[Mapping[str, Any]]) -> str:
    winners = {budget["winner"] for budget in budgets}
    if winners >= {"cell", "reference"}:
        return "flips"
    return "changes" if len(winners) > 1 else "none"
