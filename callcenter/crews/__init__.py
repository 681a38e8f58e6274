"""Crews: who is on shift, and where."""
