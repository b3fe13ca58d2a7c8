"""The benchmark suite; `python -m benchmarks` runs it."""

# First: what the benchmarks import next loads NumPy and torch, which are held to the instructions
# that runs ask for only if gatewise came before them.
import gatewise  # noqa: F401
