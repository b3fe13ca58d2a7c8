"""How far back a recurrence can reach, and how fast it learns to: synthetic problems, gradients.

Two questions are kept apart. *Can it hold T steps*: is a problem that needs them solved within a
declared budget of updates, at any of a few starts and learning rates, the same for all variants?
*How fast does it learn to*: updates until solved, where runs that never solve it are censored.

`problems` are those of the literature, `grid` says which runs are made, `learning` makes one.
"""
