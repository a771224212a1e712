"""A model server that runs on this machine, so that a newcomer sees an answer without a key."""
