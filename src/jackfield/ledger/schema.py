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
    # What was used by the hour, how long good answers took by the day, and how many rows a writer has written:
    # a batch whose commit was not heard of is known by it, and summed once.
    (
        """
        CREATE TABLE usage_hours (
            hour BIGINT NOT NULL, served TEXT NOT NULL, key_id TEXT NOT NULL, key_name TEXT NOT NULL, outcome TEXT NOT NULL,
            provider TEXT NOT NULL, attempts BIGINT NOT NULL, requests BIGINT NOT NULL, kept BIGINT NOT NULL,
            input BIGINT NOT NULL, output BIGINT NOT NULL, cache_read BIGINT NOT NULL, cache_write BIGINT NOT NULL,
            reasoning BIGINT NOT NULL, cost_nanos BIGINT NOT NULL, unpriced BIGINT NOT NULL, estimated BIGINT NOT NULL,
            last_ms BIGINT NOT NULL, PRIMARY KEY (hour, served, key_id, key_name, outcome)
        )
        """,
        """
        CREATE TABLE speed_days (
            day BIGINT NOT NULL, served TEXT NOT NULL, kind TEXT NOT NULL, ms BIGINT NOT NULL, answers BIGINT NOT NULL,
            PRIMARY KEY (day, served, kind, ms)
        )
        """,
        """
        INSERT INTO usage_hours SELECT
            at_ms / 3600000, served, key_id, key_name, outcome, max(provider), count(*),
            sum(CASE WHEN attempt = 1 THEN 1 ELSE 0 END), sum(CASE WHEN source = 'cache' THEN 1 ELSE 0 END),
            sum(coalesce(input, 0)), sum(coalesce(output, 0)), sum(coalesce(cache_read, 0)),
            sum(coalesce(cache_write, 0)), sum(coalesce(reasoning, 0)), sum(coalesce(cost_nanos, 0)),
            sum(CASE WHEN outcome = 'ok' AND cost_nanos IS NULL THEN 1 ELSE 0 END),
            sum(CASE WHEN estimated THEN 1 ELSE 0 END), max(at_ms)
        FROM attempts GROUP BY 1, 2, 3, 4, 5
        """,
        """
        INSERT INTO speed_days SELECT at_ms / 86400000, served, kind, CASE
            WHEN ms < 100 THEN ms WHEN ms < 1000 THEN (ms + 9) / 10 * 10 WHEN ms < 10000 THEN (ms + 99) / 100 * 100
            WHEN ms < 100000 THEN (ms + 999) / 1000 * 1000 WHEN ms < 1000000 THEN (ms + 9999) / 10000 * 10000
            WHEN ms < 10000000 THEN (ms + 99999) / 100000 * 100000 ELSE (ms + 999999) / 1000000 * 1000000 END, count(*)
        FROM (
            SELECT at_ms, served, 'first' AS kind, first_ms AS ms FROM attempts WHERE outcome = 'ok' AND source <> 'cache'
            UNION ALL
            SELECT at_ms, served, 'total' AS kind, total_ms AS ms FROM attempts WHERE outcome = 'ok' AND source <> 'cache'
        ) AS both_kinds WHERE ms IS NOT NULL GROUP BY 1, 2, 3, 4
        """,
        "ALTER TABLE ledger_writers ADD COLUMN written BIGINT NOT NULL DEFAULT 0",
        "CREATE INDEX attempts_by_request ON attempts (request)",
    ),
)
