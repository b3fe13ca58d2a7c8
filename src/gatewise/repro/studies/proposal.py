"""A study for data that were understood: every rule applied, every value with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from gatewise import config
from gatewise.config import ProbeConfig, Study, source_class
from gatewise.data.understanding import Understanding
from gatewise.repro.studies import budget, front_end, learning, splitting, timing, unlabelled
from gatewise.repro.studies.budget import Budget
from gatewise.repro.studies.choices import Chosen, Section, plain
from gatewise.repro.studies.sizes import SplitSizes
from gatewise.repro.studies.timing import Pace, Timer

MINUTES = 10.0
EMBEDDING = 64


@dataclass(frozen=True)
class Proposal:
    """A study, not yet written."""

    sections: Section
    """Of `params.yaml`."""
    budget: Budget
    """What was taken to fit into the minutes."""

    @property
    def study(self) -> Study:
        """The same as `params.yaml` is read.

        Raises:
            GatewiseError: it would be refused.
        """
        return config.parse(plain(self.sections), origin="the proposed study")


def propose(
    data: Understanding,
    minutes: float = MINUTES,
    *,
    metric: str | None = None,
    rnn: bool = False,
    timer: Timer = timing.measure,
) -> Proposal:
    """The study that the rules write for `data`.

    Args:
        data: what was understood.
        minutes: that it may take on this machine up to its first look at the results.
        metric: that variants compare by; one that suits the labels if left out.
        rnn: whether a vanilla RNN is compared as well.
        timer: measures this machine.

    Raises:
        GatewiseError: the data cannot be split.
    """
    if data.objective != "classify":
        others, fitted = unlabelled.sections(data, minutes, metric, rnn=rnn, timer=timer)
        return Proposal({**others, "probes": _probes()}, fitted)
    sizes = SplitSizes.expected(data)
    split = splitting.split(data)
    variants = _variants(data, rnn=rnn)
    features = front_end.features(data)
    whole = learning.passes(data, sizes)
    pace = _pace(data, plain(variants), whole.batch, plain(features), timer)
    found = budget.fit(minutes, data, sizes, whole.updates, len(variants), pace)
    train = learning.train(data, sizes, whole, found.share)
    scored = Chosen(metric, "as was asked for") if metric else splitting.metric(data)
    task = _task(data, sizes, scored, split, features, train)
    drawn = bool(plain(split).get("resample"))
    tolerance, rope = budget.tolerance(sizes, drawn=drawn, plan=found.plan)
    space = learning.space(whole.rate)
    sections: dict[str, Chosen | Section] = {
        "tasks": {data.name: task},
        "variants": variants,
        "tuning": budget.tuning(found, space),
        "seeds": budget.seeds(found),
        "train": {
            "weight_decay": Chosen(0.01),
            "clip_norm": Chosen(1.0, "largest norm of a gradient; recurrence makes large ones"),
            "schedule": Chosen("one-cycle", "up for a fifth of the updates, then down"),
        },
        "compare": {
            "primary": Chosen([["gru", "lstm"], ["gru-matched", "lstm"]], "what this is about"),
            "rope": rope,
            "choose": Chosen("macs", "the cheapest variant ..."),
            "tolerance": Chosen(tolerance.value, f"... within {tolerance.reason}"),
        },
        "probes": _probes(),
    }
    return Proposal(sections, found)


def _task(
    data: Understanding,
    sizes: SplitSizes,
    metric: Chosen,
    split: Section,
    features: Section,
    train: Section,
) -> Section:
    what = {"audio": "sounds", "image": "images"}.get(data.kind, "texts")
    task: dict[str, Chosen | Section] = {
        "source": Chosen(data.source, f"{data.examples:,} {what}, {len(data.labels)} labels"),
        **_objective(data),
        "metric": metric,
        "split": split,
        "features": features,
    }
    values = plain(features)
    if data.kind == "audio":
        frames = round(values["seconds"] * values["sample_rate"] / values["hop_length"])
        augment = learning.augment(data, values["seconds"], frames)
        if augment is not None:
            task["augment"] = augment
    return {
        **task,
        **splitting.accepted(data),
        "model": learning.model(data, sizes),
        "train": train,
    }


def _objective(data: Understanding) -> dict[str, Section]:
    """That labels are asked for, where the source has texts to be said unless told."""
    usual = source_class(data.source["kind"]).objective["kind"]
    return {} if usual == data.objective else {"objective": {"kind": Chosen(data.objective)}}


def _variants(data: Understanding, *, rnn: bool) -> Section:
    width = learning.width(data)

    def variant(cell: str, reason: str = "") -> Chosen:
        return Chosen({"cell": cell, "hidden": width.value}, reason)

    first = {"rnn": variant("rnn", "without gates")} if rnn else {}
    return {
        **first,
        "lstm": variant("lstm", width.reason),
        "gru": variant("gru", "as wide, three quarters of the weights"),
        "gru-matched": Chosen(
            {"cell": "gru", "match": {"parameters": "lstm"}}, "as many weights as the LSTM"
        ),
    }


def _pace(
    data: Understanding,
    variants: dict[str, dict[str, int]],
    batch: int,
    features: dict[str, float],
    timer: Timer,
) -> Pace:
    """This machine's, at the study's sizes."""
    hidden, classes = variants["lstm"]["hidden"], len(data.labels)
    if data.kind == "audio":
        steps = round(features["seconds"] * features["sample_rate"] / features["hop_length"])
        return timer(hidden, EMBEDDING, batch, steps, classes, int(features["n_mels"]), None)
    if data.kind == "image":
        numbers = int(features["width"] * features["channels"])
        return timer(hidden, EMBEDDING, batch, int(features["height"]), classes, numbers, None)
    usual = data.lengths.clip(max=features["max_length"]).mean()
    return timer(
        hidden, EMBEDDING, batch, max(1, round(usual)), classes, None, int(features["vocabulary"])
    )


def _probes() -> Section:
    """None: memory is a property of cells, not of these data, and takes minutes to ask."""
    usual = ProbeConfig()
    keys = [f"{name}_lengths" for name in usual.problems]
    said = "what cells can remember does not hang on these data; docs/memory.md has it"
    return {key: Chosen([], "" if place else said) for place, key in enumerate(keys)}
