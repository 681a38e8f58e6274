"""Doors for other programs under /api/v1, one file per room; thin as pages."""
