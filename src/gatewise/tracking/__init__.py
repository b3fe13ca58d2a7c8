"""MLflow as a mirror of what DVC holds: written live while training, completed afterwards.

`content` says what the store should hold for a run (plain data, made from its folder),
`store` writes exactly what is missing of it, `live` does so while training and `mirror` for
everything below `runs/`. Nothing here feeds back into training.
"""
