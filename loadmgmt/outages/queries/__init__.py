"""Reads of outages: the list, one of them, and what stands around a point."""
