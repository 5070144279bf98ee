"""What a budget asks for, made: matched recipes, kept apart from what is evaluated, one training table."""
