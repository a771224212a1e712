"""Real exchanges on tape: recorded once, one readable file each, and played back without a network."""
