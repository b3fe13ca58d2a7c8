"""Variants as PyTorch modules: cells, recurrence, pooling, initialisation, complexity, budgets."""
