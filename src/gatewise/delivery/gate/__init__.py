"""The gate between a retrained model and those who use the old one.

`pairing` brings candidate and reference to the same test examples, `interval` and `slices` weigh
the differences, `costs` and `drift` look at what else may have changed, and `rule` decides.
"""
