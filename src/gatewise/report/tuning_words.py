"""Tuning in words: what was chosen, what that changed, where to look further."""

from __future__ import annotations

from collections.abc import Mapping

from gatewise.artifacts.comparison import TaskComparison
from gatewise.artifacts.tuning_summary import Lead, PairTuning, TaskTuning, VariantTuning
from gatewise.config.metrics import Metric
from gatewise.config.tuning import Value, show, show_tried

METHODS = {
    "quasi-random": "scrambled Sobol points",
    "random": "random points",
    "grid": "a grid",
    "tpe": "points that earlier trials suggest (TPE)",
}


def settings(chosen: Mapping[str, Value]) -> str:
    """`learning_rate 0.0071, dropout 0.2`."""
    return ", ".join(f"{name} {show(each)}" for name, each in chosen.items())


def space(tuning: TaskTuning) -> str:
    """What was tried, in a line."""
    return "; ".join(f"{name} {show_tried(values)}" for name, values in tuning.space.items())


def how(tuning: TaskTuning) -> str:
    """How settings were chosen, in a sentence."""
    runs = f"{tuning.seeds} seed{'s' * (tuning.seeds > 1)}"
    chosen = "Every seed of the study chose" if tuning.per == "seed" else "Every variant chose"
    return (
        f"{chosen} from {tuning.trials} trials of {runs} each ({METHODS[tuning.method]}, the "
        f"declared settings first) by its mean score on the validation split: {space(tuning)}."
    )


def pair(compared: PairTuning, metric: Metric) -> str:
    """What common settings and tuned ones say of two variants, on the validation split."""
    a, b = compared.a, compared.b
    after = f"{metric.show_difference(compared.tuned)} after tuning"
    if compared.declared is None or compared.declared_lead is None:
        return f"{a} − {b}: {after}; at the declared settings one of them diverged."  # noqa: RUF001
    before = f"{metric.show_difference(compared.declared)} at the declared settings"
    figures = f"{a} − {b} on validation: {before}, {after}"  # noqa: RUF001
    if not compared.disagree:
        return f"{figures}; tuning does not change which leads."
    names = {"a": a, "b": b}
    return f"{figures}; {_turn(compared.declared_lead, compared.tuned_lead, names)}."


def _turn(before: Lead, after: Lead, names: Mapping[str, str]) -> str:
    if before == "neither":
        return f"common settings hide the lead of {names[after]}"
    if after == "neither":
        return f"the lead of {names[before]} is one of common settings and goes with tuning"
    return f"common settings favour {names[before]}, tuning turns that round to {names[after]}"


def another(chance: float | None) -> str:
    """How likely another point would have been chosen: `12.3 %`, or that it cannot be told."""
    return "not known" if chance is None else f"{chance:.1%}".replace("%", " %")


def counts(of_status: Mapping[str, int]) -> str:
    """`5`, or `3 complete, 2 pruned`."""
    if set(of_status) == {"complete"}:
        return str(of_status["complete"])
    return ", ".join(f"{number} {status}" for status, number in of_status.items())


def table(task: TaskComparison, tuning: TaskTuning) -> tuple[list[str], list[list[str]]]:
    """What each variant chose and what that gave: headings and rows, the same on every page."""
    metric = task.metric.definition
    pruned = any(one.saved is not None for one in tuning.variants.values())
    heading = [
        "variant",
        "chosen",
        "validation, declared",
        "validation, chosen",
        "test, chosen",
        "chance of another",
        "trials",
        "MACs",
    ]
    rows = [
        [
            name,
            _chosen(name, one, tuning),
            "diverged" if one.declared_score is None else metric.show(one.declared_score),
            metric.show(one.tuned_score),
            "" if one.test_score is None else metric.show(one.test_score),
            another(one.chance_of_another),
            counts(one.counts),
            f"{one.training_macs:.3g}",
            *([_saved(one)] if pruned else []),
        ]
        for name, one in tuning.variants.items()
    ]
    return [*heading, *(["saved by pruning"] if pruned else [])], rows


def _chosen(name: str, one: VariantTuning, tuning: TaskTuning) -> str:
    """What it chose, with what lies at an edge; by seed where each chose for itself."""
    edges = [edge.setting for edge in tuning.at_edge if edge.variant == name]
    ending = f" (at the edge in {', '.join(edges)})" if edges else ""
    if not one.chosen_by_seed:
        return settings(one.chosen) + ending
    seeds: dict[str, list[str]] = {}
    for seed, chosen in one.chosen_by_seed.items():
        seeds.setdefault(settings(chosen), []).append(seed)
    each = (f"{chosen} by seed {', '.join(by)}" for chosen, by in seeds.items())
    return "; ".join(each) + ending


def _saved(one: VariantTuning) -> str:
    if one.saved is None or one.saved_macs is None:
        return ""
    return f"{one.saved_macs:.3g} ({one.saved:.0%})".replace("%", " %")


def importance(tuning: TaskTuning) -> str:
    """Which setting mattered most, or nothing."""
    if not tuning.importance:
        return ""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in tuning.importance.items())
    return f"What sets the best points apart (PED-ANOVA over all variants): {shares}."


def sentences(task: TaskComparison) -> list[str]:
    """Where tuning changes which variant leads, of all or of a primary pair; often nothing."""
    if task.tuning is None:
        return []
    primary = {(one.a, one.b) for one in task.primary}
    told = [one for one in task.tuning.pairs if one.disagree and (one.a, one.b) in primary]
    said = [pair(one, task.metric.definition) for one in told]
    leaders = {task.tuning.declared_leader, task.tuning.tuned_leader}
    if task.tuning.sentence is None or any({one.a, one.b} == leaders for one in told):
        return said
    return [task.tuning.sentence, *said]
