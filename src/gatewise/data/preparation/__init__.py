"""Raw data to a prepared task, with its leakage certificate."""
