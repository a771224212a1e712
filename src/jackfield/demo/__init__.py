"""A model server that runs on this machine, so that a newcomer sees an answer without a key."""

from pathlib import Path

MODEL = "tiny"
MODEL_FILE = Path(__file__).with_name("tiny.gguf.xz")  # made by scripts/make_demo_model.py
CONTEXT_WINDOW = 8_192  # tokens, for each request
