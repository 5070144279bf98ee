"""How many items each weak slice gets, and of what."""
