"""Studies: written from what the data are, each value with its reason, and kept side by side."""
