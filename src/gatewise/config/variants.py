"""Variants: fully specified models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.config.strict import Probability, Strict, Width

MOST_WEIGHTS = 4_000_000_000


class Match(Strict):
    """A budget borrowed from another variant; exactly one key."""

    parameters: str | None = None
    """Width whose recurrent parameter count comes nearest that variant's."""
    macs: str | None = None
    """Width whose multiply-accumulates per step come nearest that variant's."""
    hidden: str | None = None
    """That variant's width."""
    training_macs: str | None = None
    """Epochs scaled so that training costs as many multiply-accumulates (needs `hidden`)."""

    @model_validator(mode="after")
    def _one(self) -> Match:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("match takes exactly one of parameters, macs, hidden, training_macs")
        return self

    @property
    def quantity(self) -> str:
        """Which budget is matched."""
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def reference(self) -> str:
        """The variant whose budget is matched."""
        return str(getattr(self, self.quantity))


class VariantConfig(Strict):
    """A fully specified model, but for what the task's data fix (input and output sizes)."""

    cell: str
    """Name of the recurrence; `gatewise cells` lists them."""
    hidden: Width | None = None
    """Width of the hidden state."""
    match: Match | None = None
    """Solve the width (or epochs) for another variant's budget instead."""
    layers: Annotated[int, Field(ge=1, le=64)] = 1
    bidirectional: bool = False
    projection: Width | None = None
    """Width of the projected output, for cells that project."""
    embedding: Width = 64
    """Width of token embeddings; unused for audio."""
    embeddings: Literal["random", "cooccurrence"] = "random"
    """What token embeddings start from: chance, or which words stand near each other in the
    training texts."""
    word_dropout: Probability = 0.0
    """Share of the tokens that training reads as unknown; unused for audio."""
    pooling: Literal["last", "mean", "max", "attention"] = "mean"
    """How a sequence of hidden states becomes one vector."""
    dropout: Probability = 0.0
    """Dropout between layers and before the classifier."""
    input_dropout: Probability = 0.0
    """Dropout on the inputs of the first layer."""
    residual: bool = False
    """Add each layer's input to its output where widths agree."""
    init: Literal["torch", "keras", "chrono"] = "torch"
    """Initialisation scheme of the recurrence."""
    forget_bias: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Bias of the gate that keeps the state, on top of `init`."""
    chrono_steps: Annotated[int, Field(ge=3, le=1_000_000_000)] | None = None
    """Longest dependency in steps that `init: chrono` prepares for; that of the run's longest
    training sequence when left out."""
    kernel: Literal["auto", "fused", "unrolled"] = "auto"
    """Force the fused library kernel or the unrolled reference."""
    replica: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Draws other initial weights. Variants that differ in nothing else show what chance does."""

    @model_validator(mode="after")
    def _width(self) -> VariantConfig:
        solves_width = self.match is not None and self.match.quantity != "training_macs"
        if solves_width and self.hidden is not None:
            raise ValueError("give either hidden or match, not both: match solves the width")
        if not solves_width and self.hidden is None:
            raise ValueError("the width is missing: give hidden, or match it to another variant")
        return self

    @model_validator(mode="after")
    def _fits(self) -> VariantConfig:
        # About those of the largest cells; a matched width is as large as its reference at most.
        weights = 8 * (self.hidden or 0) ** 2 * self.layers * (1 + self.bidirectional)
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f"hidden {self.hidden} in {self.layers} layers asks for up to {weights:,} weights; "
                f"at most {MOST_WEIGHTS:,} are taken"
            )
        return self

    @model_validator(mode="after")
    def _chrono(self) -> VariantConfig:
        if self.chrono_steps is not None and self.init != "chrono":
            raise ValueError(f"chrono_steps belongs to init: chrono, not to init: {self.init}")
        return self
