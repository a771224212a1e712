"""One HTTP exchange as a value: what to send, how long to wait, and a URL fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct
from msgspec.structs import asdict

from jackfield.credential import AdcFile, AwsKeys, Secret
from jackfield.model import Network, Timeouts

# Query fields whose values may be shown; any other may be a key or a signature.
SHOWN_QUERY = frozenset({"api-version", "alt", "beta"})
# What holds where no setting says otherwise. A long answer streams for half an hour; a whole
# reply comes only when its last word is written, so its first byte may take as long as all of it.
STREAM_TIMEOUTS = Timeouts(connect=10, first_token=120, idle=120, total=1800)
WHOLE_TIMEOUTS = Timeouts(connect=10, first_token=900, idle=120, total=900)


class HttpRequest(Struct, frozen=True, kw_only=True):
    """What goes to the socket; header values may be `Secret` and are revealed only there."""

    method: str = "POST"
    url: str
    headers: Mapping[str, str | Secret] = {}
    body: bytes = b""
    stream: bool = False  # the answer is asked for piece by piece
    timeouts: Timeouts = Timeouts()  # `None` in it: the default holds
    network: Network = Network()
    aws: AwsKeys | None = None  # signs the request when it leaves
    adc: AdcFile | None = None  # gives the request its token when it leaves
    settings: str = ""  # config key these settings stand under, for hints: `models.providers.venice`

    def limits(self) -> Timeouts:
        """Return the four timers with every default filled in."""
        return _fill_in(STREAM_TIMEOUTS if self.stream else WHOLE_TIMEOUTS, self.timeouts)

    def key(self, name: str) -> str:
        """Return the config key of a setting, `timeouts.idle`, as a user may write it."""
        return f"{self.settings}.{name}" if self.settings else name


@lru_cache(64)
def _fill_in(wide: Timeouts, narrow: Timeouts) -> Timeouts:
    # Asked once per request, of the same few settings.
    return merge_timeouts(wide, narrow)


def merge_timeouts(wide: Timeouts, *narrow: Timeouts | None) -> Timeouts:
    """Return timers where each of the narrower settings overrides what it says."""
    said = asdict(wide)
    for each in narrow:
        said |= {name: value for name, value in asdict(each).items() if value is not None} if each else {}
    return Timeouts(**said)


def shown_url(url: str) -> str:
    """Return a URL without user names, fragment and secrets, for messages and logs."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = re.sub(r"([^&=]+)=([^&]+)", _shown_field, parts.query)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def _shown_field(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}={value if name.lower() in SHOWN_QUERY else '****'}"
