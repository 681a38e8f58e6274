"""Reads of calls: the log, the seats, and all that is known when it rings."""
