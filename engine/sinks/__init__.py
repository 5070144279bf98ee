"""Where items go: one kind of output, one file."""
