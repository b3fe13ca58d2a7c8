"""gatewise: LSTM or GRU for *your* data, answered by a pipeline that anyone can rerun."""

__version__ = "0.1.0"
