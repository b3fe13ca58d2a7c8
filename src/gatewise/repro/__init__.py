"""The study as DVC runs it: its command line, what a killed run left, rounds of seeds.

Stages know nothing of DVC, and nothing imports it. What has to start DVC goes through this package,
the only one that calls its command line.
"""
