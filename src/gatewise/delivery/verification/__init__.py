"""`gatewise verify`: do the results follow from what they claim to follow from?

`locked_files` checks that files are what `dvc.lock` and `run.json` say; `committed_lock` that the
lock is the one that git has; `rerun` executes runs cold, in a process of its own; `excuses` knows
why another machine may give other bits; `verify` compares and states the level that was reached.
"""
