"""Kinds of work that the textbook names, whatever the data are and wherever they come from."""

from __future__ import annotations

from typing import Literal

Work = Literal["translation", "sentiment", "speech", "captioning", "series", "other"]
"""What a task's examples are instances of: sentences in another language; the feeling of a text;
spoken words; texts about images; values to come. `other`: none of these."""
