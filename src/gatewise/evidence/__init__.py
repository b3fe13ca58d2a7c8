"""From finished runs to verdicts: statistics, pairs, claims, the comparison."""
