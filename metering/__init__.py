"""What the terminals measured, what may be believed of it, and what it adds up to."""
