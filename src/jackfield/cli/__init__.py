"""The command line: one file per command; only `ui` prints."""
