"""Training: from a plan and prepared data to a run folder.

`datamodule` (with `augmentation`) feeds, `module` learns, `callbacks` and `checkpoint` keep what
has to survive an epoch or a kill, `distributed` spreads a run over processes. `fit` trains one
seed and never touches the test split, `evaluation` scores what came of it, `one_run` does both
and writes the folder. Only `job`, which names a run to be trained, is free of torch: the parent
of a stage stays light while its workers are forked from a process that has everything loaded.
"""
