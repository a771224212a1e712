"""Providers and models as values: references, prices, limits, and what a wire must be spared.

Field names are those of the config and of the catalog's TOML files (there in camelCase),
so that a row can be copied from one to the other. Annotations are evaluated here and now: as
text they would cost msgspec some eight milliseconds at every start.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import asdict

Api = Literal[
    "openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai", "google-vertex",
    "google-gemini-cli", "openai-codex-responses", "ollama", "cohere", "bedrock-converse-stream",
    "azure-openai-responses", "openai-chatgpt-responses", "github-copilot",
]  # fmt: skip
# How a provider writes its list of models; one parser each in `providers/listing`.
ListFormat = Literal[
    "openai", "anthropic", "google", "ollama", "lmstudio", "litellm", "venice", "mistral", "copilot", "cohere",
]  # fmt: skip
Modality = Literal["text", "image", "document", "audio", "video"]
Privacy = Literal["local", "private", "zdr", "anonymized", "standard"]

DEFAULT_CONTEXT_WINDOW = 200_000  # the contract's default for a model that says nothing
DEFAULT_MAX_TOKENS = 8_192
HIDDEN = "legacy"  # the status of a row that still answers to its name but is offered to nobody


class ModelRef(Struct, frozen=True):
    """`provider/model`, split at the first slash; the model's part keeps its case and its slashes."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> "ModelRef | None":
        """Split a reference; `None` when it has no slash, no provider or no model."""
        provider, slash, model = text.strip().partition("/")
        if not slash or not provider.strip() or not model.strip():
            return None
        return cls(provider.strip().lower(), model.strip())

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Tier(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Prices of a request whose whole input is over `above` tokens; `None` means: as below it."""

    above: int = 0  # tokens of all input buckets: fresh, read from the cache, written to it; 0: always
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = field(default=None, name="cacheWrite1h")
    audio_input: Decimal | None = None
    audio_output: Decimal | None = None


class Cost(Struct, frozen=True, rename="camel", omit_defaults=True):
    """US dollars per million tokens; `None` means unknown, 0 means free."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    # What is kept for an hour; `None`: as cache_write.
    cache_write_1h: Decimal | None = field(default=None, name="cacheWrite1h")
    audio_input: Decimal | None = None  # `None`: as input
    audio_output: Decimal | None = None  # `None`: as output
    tiers: tuple[Tier, ...] = ()  # in any order; the highest that the request is above holds


class Compat(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """What a server deviates in from its protocol. A closed record: declared, never sniffed.

    `None` means: the protocol's own default. Names follow OpenClaw's config where it has them.
    """

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] | None = None  # default max_tokens
    seed_field: Literal["seed", "random_seed"] | None = None  # default seed
    media_parts: Literal["openai", "mistral"] | None = None  # how files and sound are written; default openai
    message_keys: tuple[str, ...] | None = None  # further keys of a message that the server takes; default all
    supports_developer_role: bool | None = None  # send the system text as `developer`; default no
    supports_system_role: bool | None = None  # default yes; else it becomes the first user words
    supports_store: bool | None = None
    supports_reasoning_effort: bool | None = None  # default yes where the model reasons
    supports_usage_in_streaming: bool | None = None  # ask with stream_options.include_usage; default yes
    supports_tools: bool | None = None
    supports_parallel_tool_calls: bool | None = None  # the switch parallel_tool_calls is accepted; default yes
    supports_strict_mode: bool | None = None  # `strict` on tools and schemas; default yes
    supports_temperature: bool | None = None  # default yes; else temperature and top_p are left out
    supports_top_p_with_temperature: bool | None = None  # default yes; else the temperature alone is sent
    supports_stop: bool | None = None  # stop sequences; default yes
    supports_response_format: bool | None = None  # json_schema in response_format; default yes
    dimensions_field: Literal["dimensions", "output_dimension"] | None = None  # of embeddings; default dimensions
    unsupported_fields: tuple[str, ...] | None = None  # top-level fields of the body that the server refuses
    supports_prompt_cache_key: bool | None = None
    supports_cache_control: bool | None = None  # Anthropic's cache marks on this wire; default only on its own
    supports_images_in_tool_results: bool | None = None
    supports_instructions: bool | None = None  # default yes; else Responses gets system text as a message
    strict_message_keys: bool | None = None  # no keys beyond role and content
    requires_string_content: bool | None = None  # text parts joined to one string
    requires_tool_result_name: bool | None = None
    requires_assistant_after_tool_result: bool | None = None
    requires_thinking_as_text: bool | None = None
    requires_reasoning_content_on_assistant_messages: bool | None = None  # echo reasoning_content with tool calls
    reasoning_field: Literal["reasoning_content", "reasoning", "none"] | None = None  # where thoughts are echoed
    reasoning_effort_map: dict[str, str] | None = None  # our level → the server's word
    supported_reasoning_efforts: tuple[str, ...] | None = None
    thinking_format: (
        Literal[
            "openai", "zai", "qwen", "qwen-chat-template", "openrouter", "together", "nova", "gemini-always", "none"
        ]
        | None
    ) = None
    tool_schema_profile: Literal["llamacpp", "gemini"] | None = None
    unsupported_tool_schema_keywords: tuple[str, ...] | None = None
    tool_call_id_format: Literal["any", "any64", "alnum9", "alnum64"] | None = None
    tool_call_arguments_encoding: Literal["string", "object"] | None = None
    requires_open_ai_anthropic_tool_payload: bool | None = None  # taken, without effect
    assistant_prefill: bool | None = None  # goes on from the start of an answer, as `onStreamBreak: continue` needs

    def merged(self, over: "Compat") -> "Compat":
        """Return this record with every field that `over` sets."""
        return Compat(**{**asdict(self), **{k: v for k, v in asdict(over).items() if v is not None}})


# -- how a provider is reached -----------------------------------------------------


class Timeouts(Struct, frozen=True, kw_only=True, rename="camel"):
    """Four timers in seconds; `None` means the next wider setting's value."""

    connect: float | None = None  # name lookup, TCP and TLS
    first_token: float | None = None  # from the request to the first byte of the answer's body
    idle: float | None = None  # between two pieces of it
    total: float | None = None  # the whole exchange


class Network(Struct, frozen=True, kw_only=True, rename="camel"):
    """The way through a company's network; `None` means: as the environment says."""

    proxy: str | None = None  # URL; empty text means none, whatever the environment says
    ca: str | None = None  # PEM file of further authorities
    client_cert: str | None = None  # PEM file
    client_key: str | None = None  # PEM file
    system_trust: bool | None = None  # the machine's own authorities; default yes


# -- models and providers ------------------------------------------------------------


class Model(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One model of one provider: everything a request to it must know.

    `UNSET` means: the row does not say; the contract's default then holds (see `with_defaults`).
    """

    id: str  # as the user writes it after `provider/`; case-sensitive
    name: str | UnsetType = UNSET
    api: Api | UnsetType = UNSET  # other than the provider's
    base_url: str | UnsetType = UNSET
    reasoning: bool | UnsetType = UNSET
    input: tuple[Modality, ...] | UnsetType = UNSET
    cost: Cost | UnsetType = UNSET
    context_window: int | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET  # the most it writes in one answer
    tools: bool | UnsetType = UNSET
    privacy: Privacy | UnsetType = UNSET
    headers: Mapping[str, Any] | UnsetType = UNSET  # text from the catalog; what the config adds is a Secret
    compat: Compat | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET  # request fields sent unless the call says otherwise
    timeouts: Timeouts | UnsetType = UNSET
    upstream: str | UnsetType = UNSET  # the wire's id, where it is not `id`
    effort: str | UnsetType = UNSET  # `o3-mini-high` is o3-mini thinking hard
    aliases: tuple[str, ...] | UnsetType = UNSET  # other spellings of `id`
    released: str | UnsetType = UNSET  # ISO date
    status: str | UnsetType = UNSET  # `deprecated`, `preview`, `beta`, `alpha`, `retired`
    retires: str | UnsetType = UNSET  # ISO date on which it stops answering
    replacement: str | UnsetType = UNSET  # what its provider names in its place, an id or a ref
    computer_use: bool | UnsetType = UNSET  # kept, without effect

    def merged(self, over: "Model") -> "Model":
        """Return this row with every field that `over` says; `id` stays this row's."""
        said = {k: v for k, v in asdict(over).items() if v is not UNSET and k != "id"}
        return Model(**{**asdict(self), **said})


class Flow(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a sign-in in a browser runs: addresses and names, never a secret of anybody's."""

    engine: Literal["pkce", "device", "user-code", "paste"]
    authorize_url: str = ""
    device_url: str = ""  # where a code for another device is asked for
    token_url: str = ""
    redirect_url: str = "http://127.0.0.1/callback"  # without a port: any free one
    client_id: str = ""  # a public one, where it is ours to use
    client_id_env: tuple[str, ...] = ()  # variables that may name another
    client_secret_env: tuple[str, ...] = ()  # a client that is only half public needs this too
    installed: str = ""  # the provider's own program, whose public client may be used where it is installed
    scopes: tuple[str, ...] = ()
    params: dict[str, str] = {}  # further fields of the authorisation request
    headers: dict[str, str] = {}  # further headers of token requests
    identity_url: str = ""  # who signed in: an e-mail address in JSON
    account_claim: tuple[str, ...] = ()  # where the access token names the account, step by step
    exchange_url: str = ""  # what the token is changed into before each use (GitHub Copilot)
    details: dict[str, str] = {}  # field of the token reply → the profile's name for it
    project_url: str = ""  # where a Google account's Code Assist project is asked for
    request_headers: dict[str, str] = {}  # header of each later request → the profile's detail it holds
    request_params: dict[str, str] = {}  # field of each later request → the profile's detail it holds
    base_url_detail: str = ""  # the detail that says where the token is good
    host: str = ""  # the host in its addresses, where a company may have one of its own
    host_detail: str = ""  # the detail that names the company's
    host_base_url: str = ""  # where requests then go; `{host}` stands for it
    noted: dict[str, str] = {}  # details that every profile of this sign-in gets
    keeps_refresh: bool = False  # its refresh tokens may be used again and again
    profile_name: str = ""  # the stored profile's name, where it is not the person's e-mail address
    notice: str = ""  # what a person must know before it starts


class AuthMethod(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One way to sign in that `onboard --auth-choice` offers."""

    choice: str  # `venice-api-key`
    kind: Literal["api-key", "token", "oauth", "device-code", "adc", "aws", "none"] = "api-key"
    flag: str = ""  # `--venice-api-key`; empty when there is none
    label: str = ""
    hint: str = ""
    aliases: tuple[str, ...] = ()  # older names of the choice
    base_url: str = ""  # where this choice calls another address than the provider's
    default_model: str = ""  # where this choice starts with another model than the provider's
    plugin: str = ""  # bundled plugin that must be enabled first
    secret_prefix: str = ""  # what this way's token starts with
    secret_min_length: int = 0  # a shorter one was cut off
    flow: Flow | None = None  # how this way's sign-in runs


class ProviderInfo(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A provider is data: one TOML file of the catalog, or one entry of `models.providers`."""

    id: str
    name: str = ""
    group: str = ""  # heading in the wizard
    aliases: tuple[str, ...] = ()
    api: Api = "openai-completions"
    base_url: str = ""
    rewrites: dict[str, str] = {}  # what the address says once its variables are filled → what it means
    env: tuple[str, ...] = ()  # variables that hold a key, in the order they are tried
    auth: tuple[AuthMethod, ...] = ()
    key_prefix: str = ""  # what a key starts with; another start earns a warning, never a refusal
    key_optional: bool = False  # servers that run without a key
    local: bool = False  # runs on this machine: found when it runs, free, private
    default_model: str = ""  # model id without the provider
    default_alias: str = ""
    headers: Mapping[str, Any] = {}  # text from the catalog; what the config adds is a Secret
    compat: Compat = Compat()
    privacy: Privacy | None = None
    endpoint: str = ""  # request URL used verbatim
    auth_header: bool = False  # the key goes into `Authorization: Bearer`, whatever the wire's own header is
    params: dict[str, Any] = {}  # request fields sent unless the model or the call says otherwise
    max_tokens: int | None = None  # most a model writes where its row does not say
    timeouts: Timeouts | None = None
    network: Network | None = None
    counting: str = ""  # whose requests its token counter takes, `anthropic-messages`; empty: it has none
    discovery: str = ""  # path of the model list under the base URL, `/models`, or its whole URL; empty: none
    discovery_format: ListFormat = "openai"  # how that list is written
    doc: str = ""  # the provider's own page
    source: str = ""  # where the rows come from, with the date they were read
    models: tuple[Model, ...] = ()
    embeddings: tuple[Model, ...] = ()  # models that make vectors and hold no conversation; listed nowhere
