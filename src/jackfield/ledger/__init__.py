"""The ledger: one row per attempt in SQLite or PostgreSQL, written behind the caller's back, and reports on it.

Knows no server and no client. No row holds a secret or a word of a conversation.
"""
