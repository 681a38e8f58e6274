"""Pages of callcenter."""
