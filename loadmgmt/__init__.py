"""What the load is doing, what looks wrong, and what the dispatcher decides."""
