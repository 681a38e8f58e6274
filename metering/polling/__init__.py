"""The rounds: which terminal is asked when, and what became of it."""
