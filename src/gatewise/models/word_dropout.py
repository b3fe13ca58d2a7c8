"""Word dropout: in training, some tokens are read as if they were not known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PADDING, UNKNOWN = 0, 1
"""Token ids of nothing and of what the vocabulary lacks, as tokenizers are trained here."""
_LEVELS = 1 << 16
"""A share is right to one part in this."""


class WordDropout(nn.Module):
    """Turns each token into the unknown one with probability `p`, while training.

    A model from scratch learns a small set's rare words by heart; so it has to do without some of
    them, and learns what to make of words that it will not know (Iyyer et al. 2015, "Deep unordered
    composition rivals syntactic methods", section 4; there words are left out).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self._dropped = round(p * _LEVELS)

    def forward(self, tokens: Tensor) -> Tensor:
        """Ids of the same shape; padding stays, and so does everything when not training."""
        if not self.training or self._dropped == 0:
            return tokens
        draws = torch.randint(_LEVELS, tokens.shape, device=tokens.device)
        dropped = (draws < self._dropped) & (tokens != PADDING)
        return tokens.masked_fill(dropped, UNKNOWN)

    def extra_repr(self) -> str:
        """The share, for `print(model)`."""
        return f"p={self.p}"
