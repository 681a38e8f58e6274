"""What may be believed of a reading, and what its registers add up to."""
