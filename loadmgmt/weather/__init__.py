"""Weather: what was observed, and what was forecast when."""
