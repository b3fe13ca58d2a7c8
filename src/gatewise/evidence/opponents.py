"""The linear model as an opponent of the choice: where it does as well, it is what to take.

A study compares recurrent variants, but the question behind it is what to use. The linear baseline
learns in seconds and needs no recurrence; so where it is shown to lie no more than `compare.rope`
below the chosen variant, the answer says so first. Weighed as variants are
(`gatewise.evidence.race`): paired by seed over the same test examples, with the looks that were
planned. The choice is the best-looking of several, which speaks against the linear model, so
choosing it after looking makes no false claim likelier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewise.artifacts.answer import Answer, LinearModel
from gatewise.artifacts.baselines import BaselineScore
from gatewise.config import CompareConfig
from gatewise.config.metrics import Metric
from gatewise.evidence import answer_words, best, race
from gatewise.evidence.paired_scores import PairedScores

LINEAR = "linear"
"""Its name among the baselines."""
_CHOICE = "choice"


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


def weigh(
    answer: Answer,
    paired: PairedScores,
    baselines: Mapping[str, BaselineScore],
    contest: Contest,
) -> Answer:
    """The answer with what is known of the linear model.

    If that is to be taken, the sentence begins with it.

    Args:
        answer: what to take of the variants.
        paired: scores on the seeds that the variants share.
        baselines: of the same task.
        contest: metric, level and looks.
    """
    baseline = baselines.get(LINEAR)
    if baseline is None:
        return answer
    linear = _units(baseline, paired, answer.choice, contest.shared)
    if linear is None:
        return answer
    metric = contest.metric
    gains = {
        _CHOICE: [metric.gain(value) for value in paired.units(answer.choice)],
        LINEAR: [metric.gain(value) for value in linear],
    }
    looks = contest.looks and sorted({paired.unit_count(n) for n in contest.looks})
    planned = race.looks(looks, len(linear), contest.settings.alpha)
    places = race.follow(gains, planned)
    bound = places[LINEAR].shortfall
    better = not places[_CHOICE].contender
    found = LinearModel(
        title=baseline.title,
        mean=math.fsum(linear) / len(linear),
        choice_mean=math.fsum(paired.units(answer.choice)) / len(linear),
        shortfall=bound if math.isfinite(bound) else None,
        better=better,
        take=better or bound <= contest.settings.rope + best.SLACK,
    )
    if not found.take:
        return answer.model_copy(update={"linear": found})
    sentence = f"{_sentence(answer, found, metric)}; of the recurrent variants {answer.sentence}"
    return answer.model_copy(update={"linear": found, "sentence": sentence})


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


def _sentence(answer: Answer, found: LinearModel, metric: Metric) -> str:
    scored = f"{metric.show(found.mean)} against {metric.show(found.choice_mean)}"
    if found.better:
        said = f"better than {answer.choice}"
    elif not found.shortfall:
        said = f"no worse than {answer.choice}"
    else:
        said = f"at most {answer_words.amount(found.shortfall, metric)} below {answer.choice}"
    level = f"{100 * answer.level:g} %"
    return f"take the linear model: {found.title} scores {scored}, {said} ({level})"
