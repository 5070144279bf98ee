"""The same work by other libraries, on the same input and the same cores: `python -m benchmarks.peers`."""
