"""Calls: ring, answer, hang up; what is known of the caller; what became of it."""
