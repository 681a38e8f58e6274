"""Readings: their quality, their storage, their roll-ups."""
