"""What stages hand each other: plans, raw and prepared data, splits, run folders."""
