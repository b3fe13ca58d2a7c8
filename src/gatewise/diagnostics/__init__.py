"""What is measured beside training: costs, memory probes, baselines."""
