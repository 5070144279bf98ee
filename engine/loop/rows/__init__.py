"""What is known of rows: what a model said of them, their columns and measured attributes, and slices of them."""
