"""A model server that runs on this machine, so that a newcomer sees an answer without a key."""

MODEL = "tiny"
CONTEXT_WINDOW = 8_192  # tokens, for each request
