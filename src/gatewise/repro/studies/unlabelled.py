"""A study for data that ask for more than a label: pairs, transcripts, images, series."""

from __future__ import annotations

from gatewise.config.objectives import objective_class
from gatewise.config.strict import suggest
from gatewise.data.understanding import Understanding
from gatewise.errors import GatewiseError
from gatewise.repro.studies import (
    budget,
    image_texts,
    learning,
    pairs,
    series,
    splitting,
    transcripts,
)
from gatewise.repro.studies.choices import Chosen, Section
from gatewise.repro.studies.timing import Pace, Timer
from gatewise.repro.studies.work import Work

EMBEDDING = 64
FEWEST_EPOCHS = 2
"""That runs are shortened to where there is no time."""


def work(data: Understanding) -> Work:
    """What the rules for such data choose."""
    if data.steps is not None:
        return series.work(data, data.steps)
    assert data.said is not None  # noqa: S101  # whatever is said has facts
    if data.images is not None:
        return image_texts.work(data, data.said, data.images)
    if data.kind == "audio":
        return transcripts.work(data, data.said)
    return pairs.work(data, data.said)


def sections(
    data: Understanding, minutes: float, metric: str | None, *, rnn: bool, timer: Timer
) -> tuple[Section, budget.Budget]:
    """The sections of `params.yaml` but for probes, and what was taken to fit into the minutes.

    Args:
        data: what was understood.
        minutes: that the study may take up to its first look.
        metric: that variants compare by; the usual one if left out.
        rnn: whether a vanilla RNN is compared as well.
        timer: measures this machine.

    Raises:
        GatewiseError: the metric does not suit.
    """
    _require(data, metric)
    chosen = work(data)
    variants = _variants(chosen, rnn=rnn)
    found = budget.fit(
        minutes, data, chosen.sizes, chosen.passes.updates, len(variants), _pace(chosen, timer)
    )
    scored = Chosen(metric, "as was asked for") if metric else chosen.metric
    return {
        "tasks": {data.name: _task(data, chosen, scored, found)},
        "variants": variants,
        "tuning": budget.tuning(found, learning.space(chosen.passes.rate)),
        "seeds": budget.seeds(found),
        "train": {
            "weight_decay": Chosen(0.01),
            "clip_norm": Chosen(1.0, "largest norm of a gradient; recurrence makes large ones"),
            "schedule": Chosen("one-cycle", "up for a fifth of the updates, then down"),
        },
        "compare": {
            "primary": Chosen([["gru", "lstm"], ["gru-matched", "lstm"]], "what this is about"),
            "choose": Chosen("macs", "the cheapest variant ..."),
            "tolerance": Chosen(
                0.01, "... so far below the best at most, in the metric's own unit"
            ),
        },
    }, found


def _require(data: Understanding, metric: str | None) -> None:
    asks = objective_class(data.objective)
    if metric is not None and metric not in asks.metrics:
        raise GatewiseError(
            f"--metric: {metric!r} is none of {asks.title}{suggest(metric, asks.metrics)}"
        )


def _task(data: Understanding, chosen: Work, metric: Chosen, found: budget.Budget) -> Section:
    whole = chosen.passes
    count = min(whole.epochs, max(FEWEST_EPOCHS, round(found.share * whole.epochs)))
    said = f"times {chosen.sizes.train:,} training examples or so, {whole.updates:,} updates"
    if count < whole.epochs:
        said = f"{whole.epochs} would be right, but there is no time for so many"
    more = dict(chosen.train)
    if "average_last" in more:
        more["average_last"] = Chosen(min(3, count), "epochs whose weights are averaged")
    accepted = splitting.accepted(data)
    return {
        "source": Chosen(data.source, chosen.examples),
        "objective": chosen.objective,
        "metric": metric,
        **({"split": chosen.split} if chosen.split else {}),
        "features": chosen.features,
        **chosen.more,
        **accepted,
        "model": chosen.model,
        "train": {
            "epochs": Chosen(count, said),
            "batch_size": Chosen(whole.batch),
            "learning_rate": Chosen(whole.rate, "grows with the root of the batch size"),
            **more,
        },
    }


def _variants(chosen: Work, *, rnn: bool) -> Section:
    both = {"bidirectional": True} if chosen.bidirectional else {}

    def variant(cell: str, reason: str = "") -> Chosen:
        return Chosen({"cell": cell, "hidden": chosen.width.value, **both}, reason)

    first = {"rnn": variant("rnn", "without gates")} if rnn else {}
    said = chosen.width.reason + ("; sequences are read both ways" if both else "")
    return {
        **first,
        "lstm": variant("lstm", said),
        "gru": variant("gru", "as wide, three quarters of the weights"),
        "gru-matched": Chosen(
            {"cell": "gru", "match": {"parameters": "lstm"}, **both}, "as many weights as the LSTM"
        ),
    }


def _pace(chosen: Work, timer: Timer) -> Pace:
    """This machine's, at the study's sizes."""
    size = chosen.steps
    return timer(
        chosen.width.value,
        EMBEDDING,
        chosen.passes.batch,
        size.steps,
        size.outputs,
        size.features,
        size.vocabulary,
    )
