"""Where Google's application default credentials are: a file, a project and a location, or none.

The places are those of Google's own tools. Looks whether the file is there and opens it not:
what it holds becomes a token when a request leaves (`transport.adc`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jackfield.config.paths import find_home, said
from jackfield.credential import AdcFile

SOURCE = "gcloud adc"
NAMED = "GOOGLE_APPLICATION_CREDENTIALS"
FILE = "application_default_credentials.json"
# Each row is one thing the address needs, under any of its names.
NEEDED = (("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"), ("GOOGLE_CLOUD_LOCATION",))


def find(environ: Mapping[str, str]) -> AdcFile | None:
    """Return the file that stands for a token, where all that a request needs is there."""
    return None if find_gap(environ) else find_file(environ)


def find_gap(environ: Mapping[str, str]) -> str:
    """Say what is missing, in words; empty when nothing is."""
    if find_file(environ) is None:
        named = said(environ, NAMED)
        return f"{NAMED} names no file: {named}" if named else f"there is no {FILE} of gcloud's"
    unset = [names[0] for names in NEEDED if not any(said(environ, name) for name in names)]
    return f"{' and '.join(unset)} {'are' if len(unset) > 1 else 'is'} not set" if unset else ""


def find_file(environ: Mapping[str, str]) -> AdcFile | None:
    """Return the file the variable names, and no other when it does; else the one that gcloud wrote."""
    if named := said(environ, NAMED):
        places = [Path(named)]
    else:
        home, roaming = find_home(environ), said(environ, "APPDATA")
        folders = [Path(text) for text in (said(environ, "CLOUDSDK_CONFIG"),) if text]
        folders += [Path(home) / ".config" / "gcloud"] if home else []
        folders += [Path(roaming) / "gcloud"] if roaming else []
        places = [folder / FILE for folder in folders]
    return next((AdcFile(path=str(place)) for place in places if place.is_file()), None)
