"""What the config may say of the gateway: the table, and the values it is read into."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fnmatch import translate
from functools import cached_property

from msgspec import Struct, convert

from jackfield.config.shape import Field, Flag, ListOf, MapOf, Money, Number, SecretText, Table, Text
from jackfield.credential import Secret
from jackfield.message import JsonObject

RATE = Number(whole=True, least=1)
BUDGET = Money(strict=True)
LIMITS = (
    Field("models", ListOf(Text()), "models it may ask: `provider/model`, `provider/*`", "every model"),
    Field("budgetDay", BUDGET, "most that its calls of a day may cost, in US dollars; days begin at midnight UTC", "no limit"),
    Field("budgetMonth", BUDGET, "the same of a month", "no limit"),
    Field("allowUnpriced", Flag(), "models without a price may be asked although there is a budget", "false"),
    Field("requestsPerMinute", RATE, "so many at once from one that rested, and so many a minute after that", "no limit"),
    Field("tokensPerMinute", RATE, "the same of tokens, sent and answered", "no limit"),
    Field("concurrency", RATE, "calls at a time", "no limit"),
)  # fmt: skip
# The groups of addresses that may be switched off, under OpenClaw's names where it has them.
ENDPOINTS = tuple(
    Field(name, Table((Field("enabled", Flag(), "answers", "true"),), open=True), told)
    for name, told in {
        "chatCompletions": "`/v1/chat/completions`",
        "completions": "`/v1/completions`",
        "responses": "`/v1/responses`",
        "embeddings": "`/v1/embeddings`",
        "messages": "`/v1/messages`, Anthropic's",
        "gemini": "`/v1beta/models/…`, Gemini's",
        "models": "`/v1/models`",
    }.items()
)
GATEWAY = Table(
    open=True,
    fields=(
        Field("host", Text(), "address it listens on", "127.0.0.1"),
        Field("port", Number(whole=True, least=0), "port it listens on", "4747"),
        Field(
            "auth",
            Table(
                (
                    Field("mode", Text(), "`token`, or `none` on the loopback", "token"),
                    Field("token", SecretText(), "what callers send", "made at the first start, kept in the home"),
                    Field("password", SecretText(), "OpenClaw's other name of `token`"),
                ),
                open=True,
            ),
            "who may call",
        ),
        Field("allowedHosts", ListOf(Text()), "further names that requests may call it by, and pages come from", "[]"),
        Field("maxBodyBytes", Number(whole=True, least=1), "longest request", "33554432"),
        Field(
            "drainSeconds", Number(whole=True, least=0), "longest wait for open requests when it is told to end", "60"
        ),
        Field(
            "http",
            Table((Field("endpoints", Table(ENDPOINTS), "what it answers"),), open=True),
            "its addresses",
        ),
        Field(
            "database",
            SecretText(),
            "where the ledger and the keys are: `sqlite:///PATH`, or `postgresql://…` (extra `postgres`)",
            "state.sqlite in the home",
        ),
        Field(
            "ledger",
            Table(
                (
                    # Less would be less than a month, whose budget is counted from the rows.
                    Field(
                        "keepDays",
                        Number(whole=True, least=31),
                        "how long a call's rows are kept; sums stay",
                        "for good",
                    ),
                    Field("commandLine", Flag(), "what commands ask themselves leaves rows, too", "true"),
                )
            ),
            "the rows that calls leave in the database",
        ),
        Field(
            "sharedState",
            SecretText(),
            "where limits are counted for many processes: `redis://HOST:PORT`, Redis or Valkey (extra `redis`)",
            "each process counts alone",
        ),
        Field(
            "admin",
            Table(
                (
                    Field("enabled", Flag(), "it listens", "true"),
                    Field("host", Text(), "address it listens on", "127.0.0.1"),
                    Field("port", Number(whole=True, least=0), "port it listens on", "4748"),
                    Field("token", SecretText(), "what it is asked with", "made at the first start, kept in the home"),
                )
            ),
            "the listener for whoever runs the gateway",
        ),
        Field(
            "cache",
            Table(
                (
                    Field("enabled", Flag(), "equal requests are answered from memory", "false"),
                    Field("ttlSeconds", Number(whole=True, least=1), "how long an answer is kept", "300"),
                    Field(
                        "maxBytes",
                        Number(whole=True, least=1),
                        "memory that answers may take, in each process",
                        "67108864",
                    ),
                    Field("shared", Flag(), "callers with different keys get each other's answers", "false"),
                    Field("deterministic", Flag(), "only requests with `temperature` 0 or a `seed`", "false"),
                )
            ),
            "whole answers, kept and given again",
        ),
        Field(
            "log",
            Table(
                (
                    Field("format", Text(("json", "text")), "one object per line, or words", "json"),
                    Field("level", Text(("info", "warn", "error")), "the least that is written", "info"),
                )
            ),
            "what it writes to stderr",
        ),
        Field("limits", Table(LIMITS), "what the owner of the gateway's token may do"),
        Field(
            "keys",
            MapOf(Table((Field("key", SecretText(), "what the caller sends"), *LIMITS), required=("key",))),
            'further keys by name, beside those of "jackfield gateway keys"',
        ),
    ),
)


class Limits(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, dict=True):
    """What a caller may do; what is not said is not limited."""

    models: tuple[str, ...] = ()  # `provider/model`, `provider/*`; empty: every model
    budget_day: Decimal | None = None  # US dollars in a day, from midnight UTC
    budget_month: Decimal | None = None
    allow_unpriced: bool = False  # models without a price may be asked although a budget is set
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None  # calls at a time

    def allows(self, ref: str) -> bool:
        """Tell whether a model may be asked; case does not matter."""
        return not self.models or self._pattern.fullmatch(ref) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(translate, self.models)), re.IGNORECASE)


class AdminRules(Struct, frozen=True, kw_only=True):
    """Where the gateway is looked after; `None`: the config does not say."""

    enabled: bool = True
    host: str | None = None
    port: int | None = None
    token: Secret | None = None


class CacheRules(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which answers are kept, and how long."""

    enabled: bool = False
    ttl_seconds: int = 300
    max_bytes: int = 64 * 1024 * 1024
    shared: bool = False
    deterministic: bool = False


class LogRules(Struct, frozen=True):
    """What is written to stderr, and how; empty: the config does not say."""

    format: str = ""
    level: str = "info"


class ServerRules(Struct, frozen=True, kw_only=True):
    """Where the gateway listens and what it answers; `None`: the config does not say."""

    host: str | None = None
    port: int | None = None
    auth: str | None = None
    token: Secret | None = None
    allowed_hosts: tuple[str, ...] = ()
    max_body_bytes: int | None = None
    drain_s: int | None = None
    disabled: frozenset[str] = frozenset()  # names of endpoints
    admin: AdminRules = AdminRules()
    cache: CacheRules = CacheRules()
    log: LogRules = LogRules()


def read_server(gateway: JsonObject) -> ServerRules:
    """Return what the config says of the server."""
    auth, endpoints = gateway.get("auth", {}), gateway.get("http", {}).get("endpoints", {})
    return ServerRules(
        host=gateway.get("host"),
        port=gateway.get("port"),
        auth=auth.get("mode"),
        token=auth.get("token") or auth.get("password"),
        allowed_hosts=tuple(gateway.get("allowedHosts", ())),
        max_body_bytes=gateway.get("maxBodyBytes"),
        drain_s=gateway.get("drainSeconds"),
        disabled=frozenset(name for name, said in endpoints.items() if said.get("enabled") is False),
        admin=AdminRules(**gateway.get("admin", {})),
        cache=convert(gateway.get("cache", {}), CacheRules),
        log=convert(gateway.get("log", {}), LogRules),
    )


class GivenKey(Struct, frozen=True):
    """A caller's key that stands in the config."""

    secret: Secret
    limits: Limits = Limits()


class CallerRules(Struct, frozen=True, kw_only=True):
    """Who may call the gateway and for how much, and where that is kept."""

    database: Secret | None = None  # a URL, which may hold a password
    keep_days: int | None = None  # of the ledger's rows
    command_line: bool = True  # commands write rows, too
    shared_state: Secret | None = None
    limits: Limits = Limits()
    keys: Mapping[str, GivenKey] = {}


def read_callers(gateway: JsonObject) -> CallerRules:
    """Return what the config says of the gateway's callers."""
    ledger = gateway.get("ledger", {})
    return CallerRules(
        database=gateway.get("database"),
        keep_days=ledger.get("keepDays"),
        command_line=ledger.get("commandLine", True),
        shared_state=gateway.get("sharedState"),
        limits=convert(gateway.get("limits", {}), Limits),
        keys={name: _given(said) for name, said in gateway.get("keys", {}).items() if said.get("key")},
    )


def _given(said: JsonObject) -> GivenKey:
    return GivenKey(said["key"], convert({name: value for name, value in said.items() if name != "key"}, Limits))
