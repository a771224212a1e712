"""The tables, as the steps that made them. A step that was released is never changed; a new one is added below it.

Statements are of the SQL that SQLite and PostgreSQL share.
"""

from __future__ import annotations

# Each step is run once, whole or not at all; its number is its place, from 1.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE attempts (
            id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, request TEXT NOT NULL, attempt BIGINT NOT NULL,
            source TEXT NOT NULL, key_id TEXT NOT NULL, key_name TEXT NOT NULL, end_user TEXT NOT NULL,
            requested TEXT NOT NULL, served TEXT NOT NULL, provider TEXT NOT NULL, profile TEXT NOT NULL,
            wire_in TEXT NOT NULL, wire_out TEXT NOT NULL, streamed BOOLEAN NOT NULL,
            outcome TEXT NOT NULL, status BIGINT,
            input BIGINT, output BIGINT, cache_read BIGINT, cache_write BIGINT, reasoning BIGINT,
            estimated BOOLEAN NOT NULL, cost_nanos BIGINT, first_ms BIGINT, total_ms BIGINT
        )
        """,
        "CREATE INDEX attempts_by_time ON attempts (at_ms)",
        "CREATE INDEX attempts_by_key ON attempts (key_id, at_ms)",
        # Who writes here. One that never ended and is no longer seen was killed.
        """
        CREATE TABLE ledger_writers (
            id TEXT PRIMARY KEY, pid BIGINT NOT NULL, started_ms BIGINT NOT NULL, seen_ms BIGINT NOT NULL,
            ended_ms BIGINT, killed BIGINT NOT NULL DEFAULT 0, dropped BIGINT NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE gateway_keys (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, made_ms BIGINT NOT NULL,
            expires_ms BIGINT, revoked_ms BIGINT, rules TEXT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX gateway_keys_in_use ON gateway_keys (name) WHERE revoked_ms IS NULL",
        # Counts the changes to gateway_keys, so that a process need not read them to know there was none.
        "CREATE TABLE gateway_changes (subject TEXT PRIMARY KEY, version BIGINT NOT NULL)",
        "INSERT INTO gateway_changes (subject, version) VALUES ('keys', 1)",
    ),
)
