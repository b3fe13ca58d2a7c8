"""Probes: synthetic problems that ask how far back each variant can reach, and how fast."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from gatewise.config.strict import (
    BatchSize,
    Count,
    Positive,
    Seeds,
    Share,
    Steps,
    Strict,
    Width,
)

Start = Literal["torch", "keras", "forget-bias", "chrono", "declared"]
"""How a probed recurrence starts. `torch`, `keras` and `chrono` as a variant's `init`, the last for
the very length that is asked; `forget-bias`: as `torch`, with a bias of 1 on the gate that keeps
the state (Jozefowicz et al. 2015); `declared`: as the variant says."""
Lengths = tuple[Steps, ...]
DIGITS = (8, 64)
"""Steps of an image of 8 x 8 pixels: its rows, or its pixels one by one."""


class ProbeConfig(Strict):
    """Synthetic problems that ask how far back each variant can reach; `[]` leaves one out."""

    variants: tuple[str, ...] | None = None
    """Names of the variants that are probed; left out: all. The textbook's sentences ask for one
    vanilla RNN, one LSTM and one GRU."""
    adding_lengths: Lengths = (50, 100, 200)
    """Steps of the adding problem, rising; published sizes go to 600."""
    copy_lengths: Lengths = (20, 50, 100)
    """Blank steps of copy memory, rising; published sizes go to 1000."""
    parity_lengths: Lengths = (16, 128)
    """Bits of parity, rising."""
    order_lengths: Lengths = (50, 100)
    """Steps of the temporal order problem, rising, from 10; 100 to 110 in its paper."""
    counting_lengths: Lengths = (20, 22, 24, 28, 32, 40)
    """Largest n of a^n b^n, rising: the first is learnt, all are asked of what was learnt."""
    counting_updates: Count = 400
    """Updates of counting, while the learning rate falls evenly to nothing: all of them are made,
    since counting settles long after the short strings are right."""
    counting_width: Width | None = 16
    """Units a layer for counting, which takes few: ten in its paper. Left empty: the variant's."""
    counting_seeds: Seeds = 6
    """Runs of counting: how far a model counts scatters widely from run to run."""
    recall_lengths: Lengths = ()
    """Key-value pairs of associative recall, rising."""
    digits_lengths: Lengths = ()
    """Steps of real images of digits: 8 (row by row), 64 (pixel by pixel)."""
    starts: Annotated[tuple[Start, ...], Field(min_length=1)] = (
        "torch",
        "keras",
        "forget-bias",
        "chrono",
    )
    """Initialisations that are tried, for every variant those that its cell can have."""
    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.03, 0.01)
    """Rates that are tried, for every variant and start."""
    width: Width | None = 32
    """Units a layer that every variant has on all other problems, so that they speak of cells and
    not of sizes; a variant of another's budget gets that of the other at this width. Left empty:
    the variant's own."""
    updates: Count = 1000
    """Updates before a length counts as not learnt."""
    futility: Share = 0.5
    """Share of the updates after which a run that is no better than chance is stopped; 1 never
    stops one."""
    batch_size: BatchSize = 32
    seeds: Seeds = 4
    """Runs of each length, beside one more that chooses start and rate."""
    gradient_length: Annotated[Steps, Field(ge=2)] = 100
    """Steps over which the gradient is followed back."""
    gradient_reach: Steps = 50
    """Distance, in steps, at which the claim about gradients asks what is left of them."""

    @model_validator(mode="after")
    def _rising(self) -> ProbeConfig:
        for name in PROBLEM_NAMES:
            lengths = self.lengths(name)
            if list(lengths) != sorted(set(lengths)):
                raise ValueError(f"{name}_lengths {list(lengths)} must rise")
        for name, least in (("adding", 2), ("order", 10), ("recall", 2)):
            if any(length < least for length in self.lengths(name)):
                raise ValueError(f"{name}_lengths start at {least}")
        if not set(self.digits_lengths) <= set(DIGITS):
            rows, pixels = DIGITS
            raise ValueError(
                f"digits_lengths {list(self.digits_lengths)}: an image has {rows} rows or "
                f"{pixels} pixels; give [{rows}], [{pixels}] or both"
            )
        return self

    @model_validator(mode="after")
    def _distinct(self) -> ProbeConfig:
        for name in ("starts", "learning_rates"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} {list(values)} lists one twice")
        if self.gradient_reach >= self.gradient_length:
            raise ValueError(
                f"gradient_reach {self.gradient_reach} must lie below gradient_length "
                f"{self.gradient_length}, as far as the gradient is followed"
            )
        return self

    def lengths(self, problem: str) -> tuple[int, ...]:
        """Lengths of a problem, one of `PROBLEM_NAMES`."""
        found: tuple[int, ...] = getattr(self, f"{problem}_lengths")
        return found

    def updates_for(self, problem: str) -> int:
        """Updates that a length of a problem may take."""
        return self.counting_updates if problem == "counting" else self.updates

    def width_for(self, problem: str) -> int | None:
        """Units a layer that every variant has on a problem; `None` for its own."""
        return self.counting_width if problem == "counting" else self.width

    def seeds_for(self, problem: str) -> int:
        """Runs of each length of a problem."""
        return self.counting_seeds if problem == "counting" else self.seeds

    @property
    def problems(self) -> tuple[str, ...]:
        """Those that have lengths, in the order in which they are reported."""
        return tuple(name for name in PROBLEM_NAMES if self.lengths(name))


PROBLEM_NAMES = tuple(
    name.removesuffix("_lengths") for name in ProbeConfig.model_fields if name.endswith("_lengths")
)
STARTS: tuple[Start, ...] = get_args(Start)
