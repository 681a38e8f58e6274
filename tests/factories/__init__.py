"""Factories that build the least a test needs."""
