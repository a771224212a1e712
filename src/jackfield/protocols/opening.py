"""What stands before a conversation that the model begins, on wires that refuse such a one."""

from __future__ import annotations

OPENING = "(the conversation begins here)"
BEHIND_OPENING = "behind a neutral word of the user's"  # the fate of the feature `model first` there
