"""Collects what one tool's files say while they are read: the half of an import that all tools share.

Where a server is ours under another name it gets our id; where it stands at the user's own
address it becomes an entry of its own. A key in words becomes a credential, a reference stays one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jackfield.auth.paste import key_problem
from jackfield.catalog.merge import derive_id
from jackfield.config.environment import VARIABLE
from jackfield.config.mask import TELLING
from jackfield.config.node import Kind, Node, Source
from jackfield.credential import Profile, Secret
from jackfield.errors import ConfigError
from jackfield.imports.found import Credential, Imported, Known
from jackfield.imports.names import OTHER_NAMES, PLACEHOLDERS, RESTRICTED
from jackfield.imports.tree import NoYaml, parse_tree
from jackfield.message import JsonObject

_REFERENCE = re.compile(r"(?:os\.environ/|\{env:\s*|\$\{?)([A-Za-z_][A-Za-z0-9_]*)\s*\}?")
_OURS = re.compile(r"[A-Z_][A-Z0-9_]*")  # what `${NAME}` can name
NO_SECRETS = "a secret has no place in the config; put it in a variable"
_TELLING = re.compile(rf"(?i).*(?:{TELLING}).*")
_EXPECTED: dict[Kind, str] = {"string": "a text", "object": "an object", "array": "a list", "number": "a number", "boolean": "true or false", "null": "nothing"}  # fmt: skip


class Draft:
    """One import as it grows; `finish` gives its value."""

    def __init__(self, tool: str, known: Known) -> None:
        self.tool = tool
        self.known = known
        self.providers: dict[str, JsonObject] = {}
        self.aliases: dict[str, str] = {}
        self.routes: dict[str, JsonObject] = {}
        self.placed: dict[str, str] = {}  # the tool's name of a provider → ours
        self.credentials: list[Credential] = []
        self.left_out: list[str] = []
        self.notes: list[str] = []

    def finish(self, **more: Any) -> Imported:
        """Return what was collected; `more` are further fields of `Imported`."""
        return Imported(
            tool=self.tool,
            providers=self.providers,
            aliases=self.aliases,
            routes=self.routes,
            credentials=tuple(self.credentials),
            left_out=tuple(dict.fromkeys(self.left_out)),
            notes=tuple(dict.fromkeys(self.notes)),
            **more,
        )

    # -- reading -------------------------------------------------------------------

    def open(self, source: Source) -> Node | None:
        """Return a file's tree; one that cannot be read is left out as a whole. Raises `NoYaml`."""
        try:
            root = parse_tree(source)
        except NoYaml:
            raise  # no fault of the file's: the user can mend it
        except ConfigError as error:
            self.left_out.append(f"{error.message}; the file is left out")
            return None
        if root.kind in {"object", "array"}:
            return root
        self.leave("the file", "it holds no object", root)
        return None

    def leave(self, what: str, why: str, node: Node | None = None) -> None:
        """Name something that is not brought over, and why."""
        self.left_out.append(f"{place_of(node)}: {what}: {why}" if node else f"{what}: {why}")

    def at(self, node: Node, kind: Kind, *path: str) -> Node | None:
        """Return the node of a kind at a path; another kind there is left out, `null` is nothing."""
        found = node.find(path)
        if found is None or found.kind in {"null", kind}:
            return found if found is not None and found.kind == kind else None
        self.leave(".".join(path) or "the value", f"expected {_EXPECTED[kind]}, found {found.shown}", found)
        return None

    def text(self, node: Node, *path: str) -> str:
        """Return the text at a path; empty where there is none."""
        found = self.at(node, "string", *path)
        return str(found.value).strip() if found else ""

    def members(self, node: Node, *path: str) -> Mapping[str, Node]:
        """Return the members of the object at a path."""
        found = self.at(node, "object", *path)
        return found.value if found else {}

    def items(self, node: Node, *path: str) -> list[Node]:
        """Return the items of the list at a path."""
        found = self.at(node, "array", *path)
        return list(found.value) if found else []

    def objects(self, node: Node, *path: str) -> list[Node]:
        """Return the objects in the list at a path; other items are left out."""
        return [each for each in self.items(node, *path) if self.at(each, "object")]

    def count(self, node: Node, *path: str) -> float | int | None:
        """Return the number above zero at a path."""
        found = self.at(node, "number", *path)
        return found.value if found and 0 < found.value < 10**15 else None

    # -- providers -----------------------------------------------------------------

    def ours(self, name: str) -> str:
        """Return our id of a provider by the tool's word for it; empty when it has none."""
        word = name.strip().lower()
        return self.placed.get(word) or self._in_catalog(word)

    def place(self, name: str, url: str, api: str = "", node: Node | None = None) -> str:
        """Return the id of a provider at an address (empty: its own); a new address makes an entry.

        Empty when neither the name nor the address says enough; that is noted.
        """
        word, url = name.strip().lower(), self.fill(url).rstrip("/")
        ours = self._in_catalog(word)
        found = ours
        if url and _is_address(url):
            found = self._by_address(ours, url, api) or self._own_entry(word, ours, url, api)
        elif url:
            self.leave(f"provider {name}", "its address is no plain http(s) URL", node)
            return ""
        if found in self.known.own:
            self.entry(found)  # its models stand nowhere but there
        if found:
            self.placed[word] = found
        else:
            self.leave(f"provider {name}", "no provider of that name is known and no address is given", node)
        return found

    def _in_catalog(self, word: str) -> str:
        return self.known.ids.get(word) or self.known.ids.get(OTHER_NAMES.get(word, ""), "")

    def _by_address(self, ours: str, url: str, api: str) -> str:
        wanted = _address(url)
        for each in (ours, *self.known.addresses):
            same = _address(self.known.addresses.get(each, "")) == wanted
            if same and (each == ours or api in {"", self.known.apis.get(each)}):
                return each
        return ""

    def _own_entry(self, word: str, ours: str, url: str, api: str) -> str:
        named = ours if ours in self.known.local else "" if ours else _slug(word)
        for id_ in (named, derive_id(url), f"{derive_id(url)}-{len(self.providers)}"):
            taken = id_ in self.known.ids and id_ not in self.known.local
            if id_ and not taken and self.providers.setdefault(id_, {"baseUrl": url})["baseUrl"] == url:
                self.providers[id_].setdefault("api", api or "openai-completions")
                return id_
        raise AssertionError("the last name is always free")

    def add_model(self, provider: str, row: JsonObject) -> None:
        """Add a model to a provider that has an entry here; of others the catalog knows the models."""
        rows = self.providers.get(provider, {}).setdefault("models", []) if row.get("id") else []
        if all(each["id"] != row.get("id") for each in rows):
            rows.append({key: value for key, value in row.items() if value is not None})

    def add_headers(self, provider: str, headers: Mapping[str, Node]) -> None:
        """Add request headers; `Authorization: Bearer` is a key, other secrets in words have no place in a config."""
        for name, node in headers.items():
            text = self.text(node)
            filled = self.fill(text)
            if not text or not name.strip():
                continue
            if filled == text and name.lower() == "authorization" and text.lower().startswith("bearer "):
                self.add_key(provider, text[7:], node)
                self.entry(provider)["authHeader"] = True
            elif is_secret_header(name, filled):
                self.leave(f"header {name}", NO_SECRETS, node)
            else:
                self.entry(provider).setdefault("headers", {})[name] = filled

    def entry(self, provider: str) -> JsonObject:
        """Return the entry of a provider, made when it has none."""
        return self.providers.setdefault(provider, {})

    def fill(self, text: str) -> str:
        """Return a text with another tool's references to variables spelt our way."""
        return re.sub(
            r"os\.environ/(\w+)|\{env:\s*(\w+)\s*\}", lambda match: f"${{{match[1] or match[2]}}}", text
        ).strip()

    # -- credentials -----------------------------------------------------------------

    def add_key(self, provider: str, text: str, node: Node, name: str = "") -> None:
        """Add a key, or the variable that holds one; nothing for an empty one or a placeholder."""
        text = text.strip()
        reference = _REFERENCE.fullmatch(text)
        if not provider or text.lower() in PLACEHOLDERS or not text:
            return
        if reference:
            self._refer(provider, reference[1], node)
        elif text.startswith(("{file:", "!", "oidc/", "secret://")):
            self.leave(
                f"key of {provider}",
                "it is fetched from elsewhere; store it: jackfield models auth paste-api-key",
                node,
            )
        elif problem := key_problem(text):
            self.leave(f"key of {provider}", f"it {problem}", node)
        else:
            self.add(
                Profile(id=f"{provider}:{name or self.tool}", provider=provider, type="api_key", secret=Secret(text)),
                node,
            )

    def _refer(self, provider: str, variable: str, node: Node) -> None:
        if self.known.variables.get(variable) == provider:
            self.notes.append(f"{place_of(node)}: {provider} finds its key in {variable} by itself")
        elif _OURS.fullmatch(variable):
            self.entry(provider).setdefault("apiKey", f"${{{variable}}}")
        else:
            self.leave(f"key of {provider}", f"{variable} is no name that ${{…}} can hold; use capitals", node)

    def add(self, profile: Profile, node: Node) -> None:
        """Add a credential; one that is here already adds nothing, another under its name gets a number."""
        if profile.type == "oauth" and profile.provider in RESTRICTED:
            self.leave(f"login {profile.id}", RESTRICTED[profile.provider], node)
            return
        mine = [each.profile for each in self.credentials if each.profile.provider == profile.provider]
        if any(each.secret == profile.secret for each in mine):
            return
        base, number = profile.id, 2
        while any(each.id == profile.id for each in mine):
            profile, number = _renamed(profile, f"{base}-{number}"), number + 1
        self.credentials.append(Credential(profile, place_of(node)))


def _renamed(profile: Profile, id_: str) -> Profile:
    from msgspec.structs import replace  # noqa: PLC0415  two keys of one name are rare

    return replace(profile, id=id_)


def is_secret_header(name: str, text: str) -> bool:
    """Tell whether a header holds a secret in words, going by its name."""
    return bool(text and _TELLING.fullmatch(name) and not VARIABLE.search(text))


def place_of(node: Node) -> str:
    """Return a node's file and line."""
    return f"{node.source.name}:{node.line}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", name).strip("-._")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return "${" in url and "@" not in url


def _address(url: str) -> str:
    """Return an address as far as it tells two servers apart."""
    if not url or "${" in url:
        return ""
    parts = urlsplit(url.lower())
    host = parts.netloc.replace("localhost", "127.0.0.1")
    return host + re.sub(r"(?:/v1(?:beta)?)?/*$", "", parts.path) + (f"?{parts.query}" if parts.query else "")
