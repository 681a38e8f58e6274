"""What happens to outages: found, confirmed, worked on, proved over."""
