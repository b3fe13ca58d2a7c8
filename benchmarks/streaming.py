"""One step of one sequence, as audio or words arrive: every cell against `torch.nn.LSTMCell`.

python -m benchmarks.streaming [--quick]
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from benchmarks.result import Result, main, measured, ratios
from gatewise.models import cells
from gatewise.models.initialisation import initialise

WIDTH, STEPS = 128, 200


@torch.inference_mode()
def ours(name: str) -> Callable[[], None]:
    """Some steps of a cell."""
    cell = cells.get(name)(WIDTH, WIDTH)
    initialise(cell)
    x_t = torch.randn(1, WIDTH)

    def run() -> None:
        state = cell.initial_state(1)
        for _ in range(STEPS):
            _, state = cell.core(x_t, state)

    return run


def library() -> Callable[[], None]:
    """Some steps of `torch.nn.LSTMCell`."""
    cell, x_t = torch.nn.LSTMCell(WIDTH, WIDTH), torch.randn(1, WIDTH)

    def run() -> None:
        state = None
        for _ in range(STEPS):
            state = cell(x_t, state)

    return run


@torch.inference_mode()
def measure(quick: bool) -> list[Result]:
    """All cells in turns with the reference."""
    torch.set_num_threads(1)
    names = ["lstm", "gru"] if quick else cells.names()
    reference = library()
    contenders = {name: ours(name) for name in names}
    seconds: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names}
    for number in range(5 if quick else 15):
        for name, run in contenders.items():
            for what, timed in zip((reference, run), reversed(seconds[name]), strict=True):
                began = time.thread_time()
                what()
                if number > 0:
                    timed.append((time.thread_time() - began) / STEPS)
    return [
        measured(
            f"streaming step, {name}-{WIDTH}", [1e6 * s for s in own], "us",
            what="to torch.nn.LSTMCell", checked=ratios(own, other),
            limit=2.0 if name in ("rnn", "lstm", "gru") else 8.0,
        )
        for name, (own, other) in seconds.items()
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure, __doc__)
