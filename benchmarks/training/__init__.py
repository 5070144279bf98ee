"""Training loops of the examples, timed: fed by Sliceforge, by reading alone, and by other libraries."""
