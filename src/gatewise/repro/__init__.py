"""The study as DVC runs it: its command line, what a killed run left, rounds of seeds."""
