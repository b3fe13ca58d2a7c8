"""What a person sees while a variant trains: a bar per running seed, or a line per event."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gatewise.config.metrics import METRICS


class Display:
    """Shows the seeds of one task and variant; bars on a terminal, plain lines elsewhere."""

    def __init__(
        self,
        title: str,
        runs: int,
        epochs: int,
        metric: str,
        console: Console | None = None,
        unit: str = "seed",
    ) -> None:
        """Prepare the display; entering it shows the bars.

        Args:
            title: task and variant.
            runs: seeds to train.
            epochs: of each.
            metric: name of the task's primary metric.
            console: where to show it; standard error if left out.
            unit: what a run is one of.
        """
        self.metric = METRICS[metric]
        self.console = console or Console(stderr=True)
        self.title, self.runs, self.epochs, self.unit = title, runs, epochs, unit
        self.done = 0
        self.bars: dict[int | str, TaskID] = {}
        self.last: dict[int | str, dict[str, float]] = {}
        self.progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        self.progress.start()
        self.overall = self.progress.add_task(
            self.title, total=self.runs * self.epochs, note="starting workers"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def restored(self, seeds: list[int]) -> None:
        """Say which seeds need no training."""
        if seeds:
            names = ", ".join(map(str, seeds))
            self.console.print(
                f"{self.title}: finished before: seed {names}", highlight=False, soft_wrap=True
            )

    def started(self, seed: int | str) -> None:
        """Open a bar."""
        self.progress.update(self.overall, note="")
        self.bars[seed] = self.progress.add_task(
            f"  {self.unit} {seed}", total=self.epochs, note=""
        )

    def resumed(self, seed: int | str, epochs: int, sentence: str) -> None:
        """A run does not start from nothing, or has to although it was begun before."""
        self.progress.update(self.bars[seed], completed=epochs)
        self.progress.advance(self.overall, epochs)
        self.console.print(
            f"{self.title} {self.unit} {seed}: {sentence}", highlight=False, soft_wrap=True
        )

    def epoch(self, seed: int | str, epoch: int, values: dict[str, float]) -> None:
        """Advance a bar."""
        self.last[seed] = values
        score = self.metric.show(values[f"validation_{self.metric.name}"])
        note = (
            f"loss {values['train_loss']:.3f}, validation {values['validation_loss']:.3f}, "
            f"{self.metric.title} {score}"
        )
        self.progress.update(self.bars[seed], completed=epoch, note=note)
        self.progress.advance(self.overall)

    def finished(
        self, seed: int | str, epochs: int, scores: dict[str, float], split: str = "test"
    ) -> None:
        """Close a bar and leave one line with the scores of `split`."""
        self._close(seed)
        # Early stopping leaves epochs that will never come.
        self.progress.advance(self.overall, self.epochs - epochs)
        self.console.print(
            f"{self.title} {self.unit} {seed}: {split} {self.metric.title} "
            f"{self.metric.show(scores[self.metric.name])}, {epochs} epochs "
            f"({self.done} of {self.runs} trained)",
            highlight=False,
            soft_wrap=True,
        )

    def failed(self, seed: int | str, reason: str) -> None:
        """Close a bar and say why."""
        self._close(seed)
        self.console.print(
            f"{self.title} {self.unit} {seed}: failed: {reason}", highlight=False, soft_wrap=True
        )

    def _close(self, seed: int | str) -> None:
        self.done += 1
        if seed in self.bars:
            self.progress.remove_task(self.bars.pop(seed))
