"""What happens to call-backs: listed when supply is back, attempted, closed."""
