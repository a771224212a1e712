"""The page for whoever runs the gateway, and the API under it: another listener, another token."""
