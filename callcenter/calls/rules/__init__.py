"""What the events of a call say together, and what a fault report asks for; pure."""
