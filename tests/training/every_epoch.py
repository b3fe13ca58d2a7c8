"""Imported by processes whose runs are to be saved after every epoch, however short those are."""

import math

from gatewise.training import checkpoint, work  # noqa: F401  # work: what such a process needs

checkpoint.SHARE = math.inf
