"""Which candidates, in which order, and why: a pure plan, and the walk along it."""
