"""One user's state between runs: the SQLite file at `<home>/state.sqlite`. Knows no table of those who keep one there."""
