"""What happens to calls: told by the switch, worked on by agents."""
