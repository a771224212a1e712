"""What looks like a secret where no key and no shape says so: in comments, and in a text that is broken."""

from __future__ import annotations

import re

from jackfield.config.mask import TELLING

# Beginnings of keys that many servers give out, and long words of letters and digits alone.
_WORD = re.compile(
    r"(?<![\w-])(?:(?:sk|pk|rk|gsk|xai|jf|vapi|hf|nvapi|ghp|gho|ghs|glpat|xox[abp]|ya29|eyJ|AIza|AKIA|r8|pplx|fw)"
    r"[-_.A-Za-z0-9]{10,}|(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{20,})"
)
# Each branch begins where a word does, and looks ahead no further than a key is long: a long line takes no longer
# for each of its letters than a short one.
_GIVEN = re.compile(
    rf"""(?ix) (?<![\w-])["']?[\w-]*(?:{TELLING})s?["']?\s*[:=]\s*
        (?P<quote>["'])(?P<text>(?:(?!(?P=quote)).)+)(?P=quote)?
    |(?<![\w-])[\w-]*(?:{TELLING})s?["']?\s*[:=]\s*
        (?P<bare>(?=[^\s,]{{0,200}}[a-z])(?=[^\s,]{{0,200}}\d)[^\s"'${{,}}]{{8,}})
    |\b(?:bearer|basic)\s+(?P<bearer>[^\s"',$]{{8,}})
    |://[^/?\#\s:]*:(?P<password>[^/?\#\s@]+)@"""
)
# A name of a variable tells nothing; what stands in for it where it is not set may be the key itself.
_NAMED = re.compile(r"\$\{(?!\w+:-)")


def find_likely(text: str) -> list[tuple[int, int]]:
    """Return where something stands in a text that may be a secret, as spans that do not overlap."""
    found = [
        match.span(name)
        for match in _GIVEN.finditer(text)
        for name in ("text", "bare", "bearer", "password")
        if match[name] and not _NAMED.match(match[name])
    ]
    found += [match.span() for match in _WORD.finditer(text)]
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart
