"""Where a model is weak: the exact search, its statistics, and what `find` writes."""
