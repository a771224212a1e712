"""The way back of a veiled text: each word gives way to the secret it stands for, at its own place and no other.

A key that stays where it is while the address beside it becomes another host's would travel there; it is not
put back either, but typed anew by whoever wants that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.config.environment import VARIABLE
from jackfield.config.json5 import Json5Error, parse
from jackfield.config.lex import find_comments, split_pieces
from jackfield.config.node import Node, Source
from jackfield.config.schema import Issue
from jackfield.config.source import parse_file, real_path
from jackfield.config.veil import Kept, Veil, draw_veil, find_words, is_word, list_spots, loosen, name_place

ADDRESSES = ("baseUrl", "endpoint")
_ENTRIES = ("models", "providers")
_CATALOGS = "the one that the catalog names"
ANEW = "type the key anew"


class Swap(Struct, frozen=True):
    """One word that was put back: where it stood in the text that was shown, and what stands there now."""

    start: int
    word: str
    literal: str
    place: str


class Unveiled(Struct, frozen=True):
    """A text with its secrets in place; `issues` say which words stand for nothing, by the lines of the shown text."""

    shown: str
    text: str
    swaps: tuple[Swap, ...] = ()
    issues: tuple[Issue, ...] = ()

    def locate(self, line: int, column: int) -> tuple[int, int]:
        """Return where a place of the whole text is in the shown one."""
        starts = [0, *(at + 1 for at, letter in enumerate(self.text) if letter == "\n")]
        at, shift = starts[min(line, len(starts)) - 1] + column - 1, 0
        for swap in self.swaps:
            start = swap.start + shift
            if at < start:
                break
            if at < start + len(swap.literal):
                return Source(self.shown).locate(swap.start)
            shift += len(swap.literal) - len(swap.word)
        return Source(self.shown).locate(max(0, at - shift))


def lift_veil(shown: str, name: str, veil: Veil, known: Collection[str] = ()) -> Unveiled:
    """Put back into an edited text what the veil over the text as it is has kept; a text that cannot be parsed stays.

    `known` are those secrets that are hidden in comments wherever they are said.
    """
    try:
        root = parse(shown, name) if shown.strip() else None
    except Json5Error:
        return Unveiled(shown, shown)
    swaps, issues = [], []
    for path, again, node in list_spots(root) if root else ():
        if is_word(node.value):
            place = name_place(path, again)
            kept = _find(veil, place, node)
            if kept:
                swaps.append(Swap(node.start, node.text, kept.literal, place))
            else:
                issues.append(_complain(node, place, veil))
    swaps += _in_comments(shown, veil, known)
    text, at = [], 0
    for swap in sorted(swaps, key=lambda each: each.start):
        text += [shown[at : swap.start], swap.literal]
        at = swap.start + len(swap.word)
    ordered = tuple(sorted(swaps, key=lambda each: each.start))
    return Unveiled(shown, "".join([*text, shown[at:]]), ordered, tuple(issues))


def _find(veil: Veil, place: str, node: Node) -> Kept | None:
    # Of a text that was broken nobody knows more than the last two keys.
    found = [each for each in veil.kept if each.place and each.word.strip("\"'") == node.value]
    wanted = loosen(place) if veil.is_broken else place
    return next((each for each in found if (loosen(each.place) if veil.is_broken else each.place) == wanted), None)


def _complain(node: Node, place: str, veil: Veil) -> Issue:
    owner = next((each for each in veil.kept if each.word.strip("\"'") == node.value), None)
    why = "stands for no key that is kept here"
    if owner and owner.place:
        why = f"stands for the key at {owner.place}, and is good nowhere else"
    line, column = node.source.locate(node.start)
    return Issue(place, f"{node.value} {why}: {ANEW}", node.source.name, line, column)


def _in_comments(shown: str, veil: Veil, known: Collection[str]) -> Iterator[Swap]:
    """Put back what is in a comment, as long as it would be veiled there again."""
    by_word = {each.word.strip("\"'"): each for each in veil.kept}
    for piece in split_pieces(shown):
        comment = shown[piece.start : piece.end]
        for match in find_words(comment) if piece.is_comment else ():
            kept = by_word.get(match[0])
            literal = kept.literal.strip("\"'") if kept and kept.place else kept.literal if kept else ""
            if not literal or find_comments(
                whole := f"{comment[: match.start()]}{literal}{comment[match.end() :]}"
            ) != [whole.rstrip()]:
                continue
            if literal not in draw_veil(whole, "", known=known).shown:
                yield Swap(piece.start + match.start(), match[0], literal, "")


# -- where a kept key would go -----------------------------------------------------


def find_travellers(before: Node | Iterable[str], after: Node, kept: Mapping[Path, Unveiled]) -> Iterator[Issue]:
    """Yield an issue for each kept key of a provider whose address now names another host than before.

    Trees have their includes in place; where there was none before, its texts tell what can be told.
    """
    entries, block = after.find(_ENTRIES), _block(after)
    for name, entry in entries.value.items() if entries and entries.kind == "object" else ():
        if isinstance(before, Node):
            old = before.find((*_ENTRIES, name))
            known = _hosts(old, _block(before)) if old else set()
        else:
            known = {_CATALOGS, *(host for text in before for host in _hosts_in(text, name))}
        # The same host behind TLS is nobody else.
        known |= {f"https{host[4:]}" for host in known if host.startswith("http:")}
        new = _hosts(entry, block) - known
        if new:
            for node in entry.walk():
                if node.kind == "string" and (spot := _kept_at(node, kept)):
                    yield replace(spot, message=f"this key is kept for another host than {min(new)}: {ANEW}")


def _hosts(entry: Node, block: Mapping[str, str]) -> set[str]:
    """Return whom requests reach: who is named anywhere, and the proxy where it can read along."""
    found = set(_hosts_at(entry, block, *ADDRESSES))
    if not any(entry.find((key,)) for key in ADDRESSES):
        found.add(_CATALOGS)
    if any(not host.startswith("https:") for host in found - {_CATALOGS}):
        found |= {f"the proxy {host}" for host in _hosts_at(entry, block, "proxy")}
    return found


def _hosts_at(entry: Node, block: Mapping[str, str], *keys: str) -> Iterator[str]:
    for each in entry.walk():
        for key in keys if each.kind == "object" else ():
            said = each.value.get(key)
            if said is not None and said.kind == "string" and said.value:
                yield _host(VARIABLE.sub(lambda match: block.get(match[2], match[0]), said.value))


def _block(root: Node) -> dict[str, str]:
    """Return the variables that the config sets itself: an address may be made of them."""
    found = (root.find(path) for path in (("env", "vars"), ("env",)))
    members = [pair for node in found if node and node.kind == "object" for pair in node.value.items()]
    return {name: node.value for name, node in members if node.kind == "string"}


def _hosts_in(text: str, name: str) -> Iterator[str]:
    for piece in split_pieces(text):
        if name in piece.keys and piece.keys[-1] in ADDRESSES:
            yield _host(text[piece.start : piece.end].strip("\"'"))


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else url.lower()
    except ValueError:
        return url


def _kept_at(node: Node, kept: Mapping[Path, Unveiled]) -> Issue | None:
    found = kept.get(real_path(Path(node.source.name)))
    if found is None:
        return None
    own = parse_file(Path(node.source.name), found.text)
    place = next((name_place(path, again) for path, again, each in list_spots(own) if each.start == node.start), "")
    if place not in {swap.place for swap in found.swaps if swap.place}:
        return None
    line, column = found.locate(*node.source.locate(node.start))
    return Issue(place, "", node.source.name, line, column)
