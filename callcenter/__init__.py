"""What people tell us, what we promised, who was sent, and whether it helped."""
