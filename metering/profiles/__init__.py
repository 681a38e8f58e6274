"""One TOML per terminal model: its registers, types, scales and units, with the manual cited."""
