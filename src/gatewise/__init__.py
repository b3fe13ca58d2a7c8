"""gatewise: LSTM or GRU for *your* data, answered by a pipeline that anyone can rerun."""

from gatewise.training import instructions

__version__ = "0.1.0"

# Before anything below loads NumPy or torch, which settle what they compute with as they load.
instructions.use_unless_late()
