"""The gate between a retrained model and those who use the old one.

`reference` finds what candidates are compared with, `snapshot` reads and packs either, `matching`
brings both to the same test examples, `interval` and `slices` measure the differences, `costs`,
`drift` (on what `data_summary` keeps) look at what else may have changed, `rule` decides on the
merge and `promotion` on the champion. `assessment` is all of it for a study, `run` for the working
directory; `report` and `pictures` write it down.
"""
