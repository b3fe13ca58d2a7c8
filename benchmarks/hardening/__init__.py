"""What damaged files, hostile requests and kills do: `python -m benchmarks.hardening`."""
