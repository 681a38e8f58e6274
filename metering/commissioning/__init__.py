"""Putting a terminal into service (投运): what is checked, by whom, and what was decided."""
