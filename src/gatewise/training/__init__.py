"""Training: from a plan and prepared data to finished run folders.

`batches` feeds, `module` learns, `one_run` trains and evaluates one seed, `study` runs all
seeds of a variant in parallel. Only the first three import torch: the parent of a stage stays
light while its workers are forked from a process that has everything loaded.
"""
