"""Whether the weak slice gained and no other lost."""
