"""The linear model as an opponent of the choice: where it does as well, it is what to take.

A study compares recurrent variants, but the question behind it is what to use. The linear baseline
learns in seconds and needs no recurrence; so where it is shown to lie no more than `compare.rope`
below the chosen variant, the answer says so first. Weighed as variants are
(`gatewise.evidence.race`): paired by seed over the same test examples, with the looks that were
planned. Where the seeds are too few for that, they are weighed together with the test groups
(`gatewise.evidence.beyond_seeds`). The choice is the best-looking of several, which speaks against
the linear model, so choosing it after looking makes no false claim likelier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gatewise.artifacts.answer import Answer, LinearModel
from gatewise.artifacts.baselines import LINEAR, BaselineScore
from gatewise.config import CompareConfig
from gatewise.config.metrics import Metric
from gatewise.evidence import answer_words, best, beyond_seeds, race
from gatewise.evidence.paired_scores import PairedScores
from gatewise.evidence.prediction_counts import PredictionCounts

_CHOICE = "choice"
Runs = Mapping[int, PredictionCounts]
"""Counts of the choice's test predictions by seed."""
NO_RUNS: Runs = MappingProxyType({})


@dataclass(frozen=True)
class Contest:
    """What the choice is held against the linear model by."""

    metric: Metric
    settings: CompareConfig
    looks: Sequence[int] | None
    """Seed counts at which results are looked at, where seeds are added in rounds."""
    shared: bool
    """Whether all seeds test on the same examples, so that one score of a baseline is that of
    every seed."""


@dataclass(frozen=True)
class _Shown:
    """What is shown of the linear model."""

    shortfall: float
    """Upper bound of the choice's lead; infinite where nothing bounds it."""
    better: bool
    over_groups: int | None = None
    """Test groups that the bound rests on beside seeds."""


def weigh(
    answer: Answer,
    paired: PairedScores,
    baselines: Mapping[str, BaselineScore],
    contest: Contest,
    runs: Runs = NO_RUNS,
) -> Answer:
    """The answer with what is known of the linear model.

    If that is to be taken, the sentence begins with it; if it looks as good and too little is known
    to say so, that stands at the end.

    Args:
        answer: what to take of the variants.
        paired: scores on the seeds that the variants share.
        baselines: of the same task.
        contest: metric, level and looks.
        runs: the choice's, with which the test groups can be weighed.
    """
    baseline = baselines.get(LINEAR)
    if baseline is None:
        return answer
    linear = _units(baseline, paired, answer.choice, contest.shared)
    if linear is None:
        return answer
    metric = contest.metric
    shown = _by_seeds(paired.units(answer.choice), linear, paired, contest)
    if not math.isfinite(shown.shortfall):
        seeds = list(paired.scores[answer.choice])
        shown = _by_groups({seed: runs[seed] for seed in seeds if seed in runs}, baseline, contest)
    found = LinearModel(
        title=baseline.title,
        mean=math.fsum(linear) / len(linear),
        choice_mean=math.fsum(paired.units(answer.choice)) / len(linear),
        shortfall=shown.shortfall if math.isfinite(shown.shortfall) else None,
        better=shown.better,
        take=shown.better or shown.shortfall <= contest.settings.rope + best.SLACK,
        over_groups=shown.over_groups,
    )
    if found.take:
        sentence = (
            f"{_sentence(answer, found, metric)}; of the recurrent variants {answer.sentence}"
        )
    elif metric.gain(found.mean - found.choice_mean) >= 0:
        sentence = f"{answer.sentence}; {_unclear(answer, found, metric)}"
    else:
        sentence = answer.sentence
    return answer.model_copy(update={"linear": found, "sentence": sentence})


def _by_seeds(
    choice: Sequence[float], linear: Sequence[float], paired: PairedScores, contest: Contest
) -> _Shown:
    """What the seeds show, on the test examples that there are."""
    metric = contest.metric
    gains = {
        _CHOICE: [metric.gain(value) for value in choice],
        LINEAR: [metric.gain(value) for value in linear],
    }
    looks = contest.looks and sorted({paired.unit_count(n) for n in contest.looks})
    places = race.follow(gains, race.looks(looks, len(linear), contest.settings.alpha))
    return _Shown(places[LINEAR].shortfall, better=not places[_CHOICE].contender)


def _by_groups(runs: Runs, baseline: BaselineScore, contest: Contest) -> _Shown:
    """What a few seeds show together with the test groups."""
    nothing = _Shown(math.inf, better=False)
    known = dict(zip(baseline.seeds, baseline.counts, strict=False))
    if contest.shared and len(known) == 1:
        known = dict.fromkeys(runs, *known.values())
    if not runs or any(seed not in known for seed in runs):
        return nothing
    opponent = {seed: beyond_seeds.counted(known[seed], like=run) for seed, run in runs.items()}
    lead = beyond_seeds.lead(runs, opponent, contest.metric)
    if lead is None:
        return nothing
    # Several looks share the level in equal parts: how many of them came first is not known here.
    alpha = contest.settings.alpha / len(contest.looks or (0,))
    upper = lead.upper(alpha)
    return _Shown(max(upper, 0.0), better=upper < 0, over_groups=lead.groups)


def _units(
    baseline: BaselineScore, paired: PairedScores, choice: str, shared: bool
) -> list[float] | None:
    """The baseline's score in each unit of the choice's; `None` where it was not scored for one."""
    seeds = list(paired.scores[choice])
    known = dict(zip(baseline.seeds, baseline.values, strict=True))
    if shared and len(known) == 1:
        known = dict.fromkeys(seeds, baseline.values[0])
    if not seeds or any(seed not in known for seed in seeds):
        return None
    scores = {LINEAR: {seed: known[seed] for seed in seeds}}
    return PairedScores(scores, paired.round).units(LINEAR) or None


# --- words ---------------------------------------------------------------------------------


def _scored(found: LinearModel, metric: Metric) -> str:
    return (
        f"{found.title} scores {metric.show(found.mean)} against {metric.show(found.choice_mean)}"
    )


def _sentence(answer: Answer, found: LinearModel, metric: Metric) -> str:
    if found.better:
        said = f"better than {answer.choice}"
    elif not found.shortfall:
        said = f"no worse than {answer.choice}"
    else:
        said = f"at most {answer_words.amount(found.shortfall, metric)} below {answer.choice}"
    level = f"{100 * answer.level:g} %"
    if found.over_groups is not None:
        level += f", over other seeds and other test groups than these {found.over_groups:,}"
    return f"take the linear model: {_scored(found, metric)}, {said} ({level})"


def _unclear(answer: Answer, found: LinearModel, metric: Metric) -> str:
    """Of a linear model that looks no worse, which is not shown."""
    if found.shortfall is None:
        why = "with too few seeds and test groups to say more"
    else:
        why = f"but may lie {answer_words.amount(found.shortfall, metric)} below {answer.choice}"
    return f"{_scored(found, metric)} on these examples, {why}"
