"""Data sources: one module each, found by its name."""
