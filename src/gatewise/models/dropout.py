"""Dropout whose masks are drawn in bulk."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEVELS = 1 << 16
"""A mask's share is right to one part in this."""


class Dropout(nn.Module):
    """As `torch.nn.Dropout`, at a quarter of its cost on a CPU.

    Torch draws one number an element there, one after the other. Here each draw of 64 bits from
    the same generator serves four elements. The share that is dropped is `p` rounded to 2^-16, and
    what is kept is scaled by that share.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self._dropped = round(p * _LEVELS)

    def forward(self, x: Tensor) -> Tensor:
        """`x` itself when not training; else some of its elements zero, the others larger."""
        if not self.training or self._dropped == 0:
            return x
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
        draws.random_(-(2**63), None)  # all 64 bits
        sixteen = draws.view(torch.int16)[: x.numel()].view(x.shape)
        kept = sixteen >= self._dropped - _LEVELS // 2
        return x * kept.to(x.dtype).mul_(_LEVELS / (_LEVELS - self._dropped))

    def extra_repr(self) -> str:
        """The share, for `print(model)`."""
        return f"p={self.p}"
