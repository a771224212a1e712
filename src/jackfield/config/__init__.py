"""The user's configuration: where it is, what it says, and how to change one thing in it."""
