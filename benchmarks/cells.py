"""Training speed of every cell against `torch.nn.LSTM` of the same size, on one CPU thread.

One forward and backward pass. The references run before every measurement, so that a busy moment
slows both; a ratio is the median over rounds. `rnn`, `lstm` and `gru` are also held against the
module of `torch.nn` that computes the same numbers. The machine's GEMM peak at that moment is one
of the references: each pass is also given as a share of it (from its multiply-accumulates, a
backward pass counted as two forward passes).

    python -m benchmarks.cells [--batch 64 1] [--hidden 128] [--time 100] [--rounds 7] [cell ...]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.result import Result, ratios
from gatewise.models import cells
from gatewise.models.cells import sequences
from gatewise.models.initialisation import initialise

PEAK_SIZE, PEAK_REPEATS = 768, 2
PEAK_MACS = PEAK_REPEATS * PEAK_SIZE**3
LIBRARY = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
Run = Callable[[Tensor], tuple[Tensor, object]]

LIMITS = {
    **dict.fromkeys(("rnn", "lstm", "gru"), 1.03),
    **dict.fromkeys(("mingru", "minlstm"), 1.0),
    **dict.fromkeys(("slstm", "mut1", "mut2", "mut3"), 3.0),
}
"""Most that a cell's fastest kernel may take at batch 64: the first three against their own module
of `torch.nn`, all others against `torch.nn.LSTM`."""
FAMILY_LIMIT = 2.0
COMPILED = ("rnn", "lstm", "gru")
COMPILED_WIDTHS, COMPILED_BATCHES, COMPILED_STEPS = (64, 128), (64, 128), 50
"""Sizes of studies, at which the compiled loops have to keep their share of the GEMM peak."""
FEWEST_PERCENT = 50.0


@dataclass
class Timing:
    """Seconds of one contestant, and just before it of `torch.nn.LSTM` and of its own module."""

    macs: int
    gemm: list[float] = field(default_factory=list)
    """Of `peak`."""
    own: list[float] = field(default_factory=list)
    lstm: list[float] = field(default_factory=list)
    library: list[float] = field(default_factory=list)

    def ratio(self, reference: list[float]) -> float:
        """Median of the rounds' ratios."""
        return ratios(self.own, reference)

    @property
    def rate(self) -> float:
        """Multiply-accumulates per second of large matrix products."""
        return PEAK_MACS / statistics.median(self.gemm)

    @property
    def share_of_peak(self) -> float:
        """Of the time of a pass, what large matrix products of the same work take."""
        return self.macs / PEAK_MACS / self.ratio(self.gemm)


def training_pass(run: Run, x_tbf: Tensor) -> None:
    """One forward and backward pass."""
    run(x_tbf)[0].sum().backward()


def seconds(work: Callable[[], None]) -> float:
    """Processor time: another process on the same core does not count."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def peak(a: torch.Tensor) -> None:
    """Large matrix products: the most that the machine can do.

    Our own: `portable` instructions hold those of NumPy and torch to slower paths.
    """
    for _ in range(PEAK_REPEATS):
        sequences.product(a, a)


def contestants(names: list[str], hidden: int) -> dict[tuple[str, str], Run]:
    """The library's modules, then every cell with every kernel that it has."""
    found: dict[tuple[str, str], Run] = {
        (name, "torch.nn"): module(hidden, hidden) for name, module in LIBRARY.items()
    }
    for name in names:
        kind = cells.get(name)
        for kernel in ("fused", "unrolled"):
            if kernel == "fused" and not kind.has_fused():
                continue
            cell = kind(hidden, hidden)
            initialise(cell)
            cell.kernel = kernel
            found[name, kernel] = cell
    return found


def measure(
    names: list[str], batch: int, hidden: int, steps: int, rounds: int
) -> dict[tuple[str, str], Timing]:
    """Timings by cell and kernel."""
    torch.manual_seed(0)
    x_tbf = torch.randn(steps, batch, hidden)
    runs = contestants(names, hidden)
    lstm = runs["lstm", "torch.nn"]
    timings = {
        (name, kernel): Timing(3 * cells.get(name).macs_per_step(hidden, hidden) * batch * steps)
        for name, kernel in runs
    }
    large = torch.ones(PEAK_SIZE, PEAK_SIZE)
    for number in range(rounds + 1):
        for (name, kernel), run in runs.items():
            library = runs.get((name, "torch.nn"), lstm)
            found = {
                "lstm": partial(training_pass, lstm, x_tbf),
                "library": partial(training_pass, library, x_tbf),
                "gemm": partial(peak, large),
                "own": partial(training_pass, run, x_tbf),
            }
            for what, work in found.items():
                took = seconds(work)
                if number > 0:  # the first round warms up
                    getattr(timings[name, kernel], what).append(took)
    return timings


def rows(wish: argparse.Namespace, batch: int) -> list[dict[str, Any]]:
    """One measured batch size as plain data."""
    timings = measure(wish.cells, batch, wish.hidden, wish.time, wish.rounds)
    return [
        {
            "cell": name,
            "kernel": kernel,
            "batch": batch,
            "ms": 1e3 * statistics.median(timing.own),
            "to_lstm": timing.ratio(timing.lstm),
            "to_library": timing.ratio(timing.library) if name in LIBRARY else None,
            "share_of_peak": timing.share_of_peak,
            "peak_gflops": 2 * timing.rate / 1e9,
        }
        for (name, kernel), timing in timings.items()
    ]


def results(by_batch: dict[int, list[dict[str, Any]]]) -> list[Result]:
    """For the suite: each cell on its own kernel, limited at batch 64."""
    found = []
    for batch, measured in by_batch.items():
        best = [row for row in measured if row["kernel"] == "fused"]
        fused = {row["cell"] for row in best}
        best += [r for r in measured if r["kernel"] == "unrolled" and r["cell"] not in fused]
        for row in best:
            own = row["cell"] in LIBRARY
            found.append(
                Result(
                    f"training pass, {row['cell']}, batch {batch}",
                    row["ms"],
                    "ms",
                    what="to its torch.nn module" if own else "to torch.nn.LSTM",
                    checked=row["to_library" if own else "to_lstm"],
                    limit=LIMITS.get(row["cell"], FAMILY_LIMIT) if batch == 64 else None,
                )
            )
            found.append(_share(f"{row['cell']}, batch {batch}", row, None))
    return found


def compiled(rounds: int) -> list[Result]:
    """The compiled loops at the sizes of studies: shares of the GEMM peak, and one sequence."""
    measured = []
    for hidden, batch in itertools.product(COMPILED_WIDTHS, COMPILED_BATCHES):
        timings = measure(list(COMPILED), batch, hidden, COMPILED_STEPS, rounds)
        measured += [
            _share(
                f"{cell}-{hidden}, batch {batch}, {COMPILED_STEPS} steps",
                {"share_of_peak": timings[cell, "fused"].share_of_peak},
                FEWEST_PERCENT,
            )
            for cell in COMPILED
        ]
    one = measure(list(COMPILED), 1, COMPILED_WIDTHS[0], COMPILED_STEPS, rounds)
    gru, lstm = one["gru", "fused"], one["lstm", "fused"]
    name = f"training pass, gru-{COMPILED_WIDTHS[0]}, one sequence"
    took = 1e3 * statistics.median(gru.own)
    return [
        *measured,
        Result(name, took, "ms", what="to our lstm", checked=ratios(gru.own, lstm.own), limit=1.0),
    ]


def _share(name: str, row: dict[str, Any], floor: float | None) -> Result:
    percent = 100 * row["share_of_peak"]
    title = f"training pass, {name}: share of GEMM peak"
    return Result(title, percent, "%", what="%", checked=percent, limit=floor, better="higher")


def table(by_batch: dict[int, list[dict[str, Any]]]) -> str:
    """Markdown: a row for each cell and kernel, columns for each batch size."""
    titles, rule = ["cell", "kernel"], ["---", "---"]
    for batch in by_batch:
        at = f"batch {batch}"
        titles += [f"ms, {at}", "to nn.LSTM", "to its torch.nn module", "share of GEMM peak"]
        rule += ["---:"] * 4
    lines = [titles, rule]
    for same in zip(*by_batch.values(), strict=True):
        name, kernel = same[0]["cell"], same[0]["kernel"]
        line = [f"`torch.nn.{name.upper()}`" if kernel == "torch.nn" else f"`{name}`", kernel]
        for row in same:
            library = row["to_library"]
            line += [f"{row['ms']:.1f}", f"{row['to_lstm']:.2f}"]
            line += ["" if library is None else f"{library:.2f}", f"{row['share_of_peak']:.0%}"]
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", nargs="*", default=cells.names())
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 1])
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--time", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="three rounds")
    parser.add_argument("--json", type=Path, help="write the results there")
    return parser.parse_args(arguments)


def main() -> None:
    """Measure and print a Markdown table."""
    wish = options()
    torch.set_num_threads(1)
    wish.rounds = 3 if wish.quick else wish.rounds
    found = {batch: rows(wish, batch) for batch in wish.batch}
    loops = compiled(wish.rounds)
    if wish.json:
        measured = [*results(found), *loops]
        wish.json.write_text(json.dumps([result.plain() for result in measured]))
        return
    peaks = [row["peak_gflops"] for rows in found.values() for row in rows]
    print(
        f"width {wish.hidden}, {wish.time} steps, one thread; GEMM peak "
        f"{min(peaks):.0f} to {max(peaks):.0f} GFLOP/s; "
        f"torch {torch.__version__}\n"
    )
    print(table(found))
    print()
    for result in loops:
        print(f"{result.name}: {result.value:.3g} {result.unit}, {result.checked:.3g}")


if __name__ == "__main__":
    main()
