"""Terminals, meters, ratios, and when they were fitted or removed."""
