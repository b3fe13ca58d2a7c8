"""A cell that remembers exactly so many steps, to hold the probes against."""

from __future__ import annotations

from gatewise.models.cells.base import Cell, Shapes, State

STEPS = 12


class Window(Cell):
    """The last 12 inputs side by side, as they were, and nothing of what came before."""

    name = "window"
    blocks = ()
    source = "a shift register"

    @classmethod
    def shapes(cls, input_size: int, hidden_size: int) -> Shapes:
        return {"weight_unused": (input_size, hidden_size)}

    def state_sizes(self) -> tuple[int, ...]:
        return (STEPS * self.input_size,)

    @classmethod
    def output_size(cls, hidden_size: int) -> int:
        return hidden_size

    def project(self, x):
        return x

    def step(self, projected_t, state: State):
        import torch

        kept = torch.cat([projected_t, state[0][:, : -self.input_size]], dim=1)
        width = self.hidden_size
        padded = torch.nn.functional.pad(kept, (0, width - kept.shape[1]))
        return padded, (kept,)
