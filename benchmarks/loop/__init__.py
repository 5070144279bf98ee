"""The loop on real data: six experiments with fixed networks, in which the training data alone change."""
