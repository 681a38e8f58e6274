"""Versioned tables of steps and the engine that walks cases through them."""
