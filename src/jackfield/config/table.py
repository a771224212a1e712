"""What the model layer's sections may hold, key by key: the one table that checks, documents and describes.

Keys named `idle` are OpenClaw's and have no effect here; they are accepted, with a warning.
Order is that of the reference page.
"""

from __future__ import annotations

from jackfield.config.gateway import GATEWAY
from jackfield.config.schema import StreamBreak
from jackfield.config.shape import (
    Anything,
    Either,
    Field,
    Flag,
    Key,
    ListOf,
    MapOf,
    Number,
    Record,
    SecretText,
    Table,
    Text,
    choices,
)
from jackfield.config.spend import BUDGET, PACE, SPILL
from jackfield.message import Effort
from jackfield.model import Api, Compat, Cost, Modality, Network, Privacy, Timeouts

TEXT = Text()
FLAG = Flag()
COUNT = Number(whole=True, lenient=True)
SECONDS = Number(lenient=True)
BAG = Anything()
TEXTS = ListOf(TEXT)
HEADERS = MapOf(SecretText())
LATE_HEADERS = MapOf(SecretText(late=True))
# Where a secret stands, instead of the secret. OpenClaw's own store (`store`) is not ours.
SOURCES = ("env", "file", "exec", "keyring", "store")
REFERENCE = Table(
    required=("source", "id"),
    fields=(
        Field("source", Text(SOURCES), "kind of place"),
        Field("provider", TEXT, "of the keyring: the service it stands under", "jackfield"),
        Field("id", TEXT, "variable, file (`~/key`, `keys.json#/a/b`), command line, or the keyring's entry"),
    ),
)

TIMEOUTS = Record(Timeouts)
NETWORK = Record(Network)
COST = Record(Cost)
COMPAT = Record(Compat)

MODEL = Table(
    required=("id",),
    fields=(
        Field("id", TEXT, "what stands after `provider/`; case-sensitive, may hold slashes and colons"),
        Field("name", TEXT, "name for people", "the id"),
        Field("api", choices(Api), "protocol, where it is not the provider's"),
        Field("baseUrl", Text(slash=False), "address, where it is not the provider's"),
        Field("reasoning", FLAG, "the model can think before it answers", "false"),
        Field("input", ListOf(choices(Modality)), "what it takes", '["text"]'),
        Field("cost", COST, "US dollars per million tokens; dearer `tiers` above so many tokens of input", "zeros"),
        Field("contextWindow", COUNT, "tokens of question and answer together", "200000"),
        Field("contextTokens", COUNT, "set `contextWindow`", idle=True),
        Field("maxTokens", COUNT, "most it writes in one answer", "8192"),
        Field("tools", FLAG, "it calls functions"),
        Field("privacy", choices(Privacy), "how private it is", "the provider's"),
        Field("headers", HEADERS, "sent with every request, over the provider's"),
        Field("compat", COMPAT, "deviations from the protocol, over the provider's"),
        Field("params", BAG, "request fields sent unless the call says otherwise"),
        Field("timeouts", TIMEOUTS, "timers in seconds, over the provider's"),
        Field("upstream", TEXT, "the id the server knows it by", "the id"),
        Field("effort", TEXT, "thinking level this id stands for"),
        Field("aliases", TEXTS, "other spellings of the id"),
        Field("released", TEXT, "ISO date"),
        Field("status", TEXT, "`deprecated`, `preview` or `retired`"),
        Field("retires", TEXT, "ISO date on which it stops answering"),
        Field("replacement", TEXT, "the id or ref that its provider names in its place"),
        Field("computerUse", FLAG, "kept, without effect"),
    ),
)

PROVIDER = Table(
    fields=(
        Field("name", TEXT, "name for people"),
        Field(
            "baseUrl",
            Text(slash=False),
            "address of the API; required for an unknown id without `endpoint`",
            "the catalog's",
        ),
        Field("endpoint", Text(), "request URL, used verbatim"),
        Field("apiKey", Key(), "key, `${VARIABLE}`, the bare name of a variable, or a reference"),
        Field("auth", Text(("api-key", "token", "oauth", "aws-sdk")), "how it signs in", "api-key"),
        Field("api", choices(Api), "protocol", "openai-completions"),
        Field("headers", LATE_HEADERS, "sent with every request; a value may be a reference"),
        Field("authHeader", FLAG, "send the key as `Authorization: Bearer` whatever the protocol's habit", "false"),
        Field("models", ListOf(MODEL), "rows, merged with the catalog's by id", "[]"),
        Field("compat", COMPAT, "deviations from the protocol, for all its models"),
        Field("params", BAG, "request fields sent unless the model or the call says otherwise"),
        Field("maxTokens", COUNT, "most its models write, where their rows do not say"),
        Field("timeouts", TIMEOUTS, "timers in seconds"),
        Field("timeoutSeconds", SECONDS, "OpenClaw's name of `timeouts.total`"),
        Field("network", NETWORK, "the way out: proxy and certificates"),
        Field("pace", PACE, "`auto`: by the server's own rate headers, else at most so many a minute", "none"),
        Field("privacy", choices(Privacy), "how private it is"),
        Field("request", BAG, "use `headers` and `network`", idle=True),
        Field("localService", BAG, "start the server yourself", idle=True),
        Field("injectNumCtxForOpenAICompat", FLAG, "use api `ollama`", idle=True),
    ),
)

ROUTE = Table(
    required=("primary",),
    fields=(
        Field("primary", TEXT, "the first candidate"),
        Field("fallbacks", TEXTS, "the next ones, in order", "[]"),
        Field(
            "onStreamBreak",
            choices(StreamBreak),
            "what a break after the first content does: it is told, the reply starts over, or another model goes on",
            "error",
        ),
        Field("timeouts", TIMEOUTS, "timers in seconds, over the model's"),
    ),
)

MODELS = Table(
    fields=(
        Field("mode", Text(("merge", "replace")), "`replace`: no built-in providers, only these", "merge"),
        Field("providers", MapOf(PROVIDER, "id"), "providers by id; an entry for a known id changes only what it says"),
        Field("aliases", MapOf(TEXT), "other names for models; they never restrict"),
        Field("routes", MapOf(ROUTE), "named chains, usable wherever a model is named"),
        Field(
            "policy",
            Table(
                (
                    Field("minPrivacy", choices(Privacy), "candidates below it are never tried"),
                    Field(
                        "maxWait",
                        Number(least=0),
                        "longest wait for one candidate to be asked again, in seconds; 0 asks nobody twice",
                        "10, the last candidate 60",
                    ),
                )
            ),
            "what may be used",
        ),
        Field("budget", BUDGET, "limits in US dollars, held before a request leaves"),
        Field("bedrockDiscovery", BAG, "list the models in the config", idle=True),
        Field("catalogRefresh", BAG, 'run "jackfield models refresh"', idle=True),
    ),
)

CHOICE = Either(
    TEXT,
    Table(
        fields=(
            Field("primary", TEXT, "the model asked when none is named"),
            Field("fallbacks", TEXTS, "asked in order when it fails", "[]"),
            Field("fallback", TEXTS, "older spelling of `fallbacks`"),
        )
    ),
)
DEFAULT_MODELS = MapOf(
    Table((Field("alias", TEXT, 'short name; `""` turns a built-in one off'), Field("params", BAG, "request fields"))),
    "ref",
)
DEFAULTS = Table(
    open=True,
    fields=(
        Field("model", CHOICE, "the model asked when none is named"),
        Field("imageModel", CHOICE, "asked instead when the model takes no pictures"),
        Field("models", DEFAULT_MODELS, "models in use by `provider/model`: a non-empty map is the allowlist"),
        Field("modelPolicy", Table((Field("allow", TEXTS, "refs, aliases, `provider/*`; decides alone when present"),)), "allowlist"),
        Field("params", BAG, "request fields for every model"),
        Field("thinkingDefault", choices(Effort), "how hard to think", "the provider's"),
        Field("timeoutSeconds", SECONDS, "longest a whole answer may take"),
    ),
    elsewhere=("pdfModel",),
)  # fmt: skip
AGENTS = Table((Field("defaults", DEFAULTS, "what holds for every call"),), open=True, elsewhere=("list", "entries"))

HOURS = Number(lenient=True)
LONGEST_REST = "nothing rests longer than 15 minutes"
AUTH = Table(
    fields=(
        Field(
            "store",
            Text(("file", "keyring")),
            "where new keys and sign-ins go; `keyring` is the system's, and the file then only refers to it",
            "file",
        ),
        Field(
            "profiles",
            MapOf(
                Table(
                    required=("provider", "mode"),
                    fields=(
                        Field("provider", TEXT, "provider's id"),
                        Field("mode", Text(("api_key", "oauth", "token", "aws-sdk")), "kind of credential"),
                        Field("email", TEXT, "whose it is"),
                    ),
                ),
                "id",
            ),
            "what is known of a credential; the secret is in the store",
        ),
        Field(
            "order",
            MapOf(TEXTS, "provider"),
            "profiles in the order they are tried; others never are",
            "sign-ins, tokens, keys",
        ),
        SPILL,
        Field(
            "cooldowns",
            Table(
                open=True,
                fields=(
                    Field("failureWindowHours", HOURS, "failures older than this are forgotten", "24"),
                    Field("billingBackoffHours", HOURS, LONGEST_REST, idle=True),
                    Field("billingBackoffHoursByProvider", MapOf(HOURS, "provider"), LONGEST_REST, idle=True),
                    Field("billingMaxHours", HOURS, LONGEST_REST, idle=True),
                ),
            ),
            "how failures are remembered",
        ),
    )
)

ENV = Table(
    others=SecretText(literal=True),
    fields=(
        Field(
            "vars", MapOf(SecretText(literal=True)), "variables by name; a flat key of `env` means the same and wins"
        ),
        Field(
            "shellEnv",
            Table((Field("enabled", FLAG), Field("timeoutMs", COUNT))),
            "set variables in the shell or in `.env`",
            idle=True,
        ),
    ),
)
PLUGINS = Table(
    open=True,
    fields=(
        Field("enabled", FLAG, "plugins may run", "true"),
        Field("allow", TEXTS, "only these"),
        Field("deny", TEXTS, "never these"),
        Field(
            "load",
            Table((Field("paths", TEXTS, "further files and folders to look for plugins in"),), open=True),
            "where plugins are",
        ),
        Field(
            "entries",
            MapOf(
                Table(
                    (Field("enabled", FLAG, "this one may run"), Field("config", BAG, "the plugin's own settings")),
                    open=True,
                ),
                "id",
            ),
            "plugins by id",
        ),
    ),
)

# OpenClaw's other sections; everything else beside ours may be a misspelling.
ELSEWHERE = (
    "$schema", "agent", "approvals", "audio", "bindings", "broadcast", "browser", "canvasHost", "channels", "commands",
    "cron", "diagnostics", "discovery", "hooks", "logging", "media", "memory", "messages", "meta", "node",
    "nodeHost", "secrets", "session", "skills", "talk", "tools", "ui", "update", "web", "wizard",
)  # fmt: skip
ROOT = Table(
    open=True,
    fields=(
        Field("env", ENV, "variables for `${NAME}`; they fill what the environment leaves out"),
        Field("agents", AGENTS, "selection"),
        Field("models", MODELS, "providers, aliases, routes"),
        Field("auth", AUTH, "credentials' order and names, never secrets"),
        Field("plugins", PLUGINS, "plugins"),
        Field("gateway", GATEWAY, "the server in front of every model"),
    ),
    elsewhere=ELSEWHERE,
)
