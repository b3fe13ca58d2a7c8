"""`gatewise verify`: do the results follow from what they claim to follow from?

`claims` checks that files are what `dvc.lock` and `run.json` say; `rerun` executes runs cold,
in a process of its own; `verify` compares and states the level that was reached.
"""
