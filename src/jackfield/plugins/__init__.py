"""What others add: providers as TOML rows or a few lines of Python, found on request and off until enabled."""
