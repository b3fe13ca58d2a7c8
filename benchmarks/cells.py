"""Training speed of every cell against `torch.nn.LSTM` of the same size, on one CPU thread.

One forward and backward pass. The reference runs before every other measurement of a round, so
that a busy moment slows both; the ratio is the median over rounds. The machine's GEMM peak is
measured in the same rounds, and each pass is also given as a share of it (from its
multiply-accumulates, a backward pass counted as two forward passes).

    python -m benchmarks.cells [--batch 64] [--hidden 128] [--time 100] [--rounds 9] [cell ...]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from gatewise import cells
from gatewise.initialisation import initialise

PEAK_SIZE, PEAK_REPEATS = 768, 2


@dataclass
class Timing:
    """Seconds of one contestant, and of the reference just before it."""

    macs: int
    kernel: str
    own: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios to the reference."""
        return statistics.median(a / b for a, b in zip(self.own, self.reference, strict=True))


def training_pass(run: Callable[[Tensor], tuple[Tensor, object]], x_tbf: Tensor) -> None:
    """One forward and backward pass."""
    run(x_tbf)[0].sum().backward()


def seconds(work: Callable[[], None]) -> float:
    """Processor time: another process on the same core does not count."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def peak() -> None:
    """Large matrix products: the most that the machine can do."""
    a = torch.ones(PEAK_SIZE, PEAK_SIZE)
    for _ in range(PEAK_REPEATS):
        torch.mm(a, a)


def contestants(names: list[str], hidden: int) -> dict[tuple[str, str], cells.Cell]:
    """Every cell with every kernel that it has."""
    found: dict[tuple[str, str], cells.Cell] = {}
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
) -> tuple[dict[tuple[str, str], Timing], float]:
    """Timings by cell and kernel, and the GEMM peak in multiply-accumulates per second."""
    torch.manual_seed(0)
    x_tbf = torch.randn(steps, batch, hidden)
    lstm, gru = nn.LSTM(hidden, hidden), nn.GRU(hidden, hidden)
    runs: dict[tuple[str, str], Callable[[Tensor], tuple[Tensor, object]]] = {
        ("torch.nn.LSTM", "library"): lstm,
        ("torch.nn.GRU", "library"): gru,
        **contestants(names, hidden),
    }
    timings: dict[tuple[str, str], Timing] = {}
    for name, kernel in runs:
        kind = cells.get({"torch.nn.LSTM": "lstm", "torch.nn.GRU": "gru"}.get(name, name))
        macs = 3 * kind.macs_per_step(hidden, hidden) * batch * steps
        timings[name, kernel] = Timing(macs, kernel)
    peaks: list[float] = []
    for number in range(rounds + 1):
        for key, run in runs.items():
            reference = seconds(lambda: training_pass(lstm, x_tbf))
            own = seconds(lambda run=run: training_pass(run, x_tbf))
            if number > 0:  # the first round warms up
                timings[key].reference.append(reference)
                timings[key].own.append(own)
        peaks.append(PEAK_REPEATS * PEAK_SIZE**3 / seconds(peak))
    return timings, max(peaks)


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", nargs="*", default=cells.names())
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--time", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    wish = parser.parse_args()
    torch.set_num_threads(1)
    timings, best = measure(wish.cells, wish.batch, wish.hidden, wish.time, wish.rounds)
    print(
        f"batch {wish.batch}, width {wish.hidden}, {wish.time} steps, one thread; GEMM peak "
        f"{2 * best / 1e9:.0f} GFLOP/s; torch {torch.__version__}\n"
    )
    print("| cell | kernel | ms | ratio to torch.nn.LSTM | share of GEMM peak |")
    print("| --- | --- | ---: | ---: | ---: |")
    for (name, kernel), timing in timings.items():
        own = statistics.median(timing.own)
        share = timing.macs / own / best
        print(f"| `{name}` | {kernel} | {1e3 * own:.1f} | {timing.ratio:.2f} | {share:.0%} |")


if __name__ == "__main__":
    main()
