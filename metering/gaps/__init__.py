"""Missed intervals: which meter lacks which, proved by what was to be asked."""
