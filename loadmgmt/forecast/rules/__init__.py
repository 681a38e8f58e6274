"""What a forecast may know, and how it is judged; all pure."""
