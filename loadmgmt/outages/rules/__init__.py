"""What calls and meters say about an outage; pure."""
