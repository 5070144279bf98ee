"""The loader under faults: one command for each promise; results go to benchmarks/results/loader.json."""
