"""Credentials: the store on disk, and which of them a request gets."""
