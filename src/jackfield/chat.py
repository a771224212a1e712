"""Former name of `jackfield.message`; the package's `chat` is a function."""

from jackfield.message import *  # noqa: F403
