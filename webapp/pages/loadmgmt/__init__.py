"""Pages of loadmgmt."""
