"""What happens to tickets: opened, moved, proved, tied to outages."""
