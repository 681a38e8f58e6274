"""Call-backs (回访): whether it helped, asked of those who reported it."""
