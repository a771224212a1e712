"""Providers and models as data: what ships with the package, under what the config says of it."""
