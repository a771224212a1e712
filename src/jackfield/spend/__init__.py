"""What may be spent: how fast, and how much."""
