"""Whether a browser opened here would be seen by the person who signs in, and which program opens it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

REMOTE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "CODESPACES", "REMOTE_CONTAINERS")
WINDOWED = ("DISPLAY", "WAYLAND_DISPLAY")
WSL = ("WSL_DISTRO_NAME", "WSL_INTEROP")  # its browser is that of Windows

# No shell between: an address holds `&`, which Windows' `start` and every shell read as their own.
WINDOWS = "url.dll,FileProtocolHandler"
OPENERS: dict[str, tuple[str, ...]] = {"win32": ("rundll32", WINDOWS), "darwin": ("open",), "linux": ("xdg-open",)}
WSL_OPENER = ("rundll32.exe", WINDOWS)


def why_headless(environ: Mapping[str, str], platform: str) -> str:
    """Return in words why no browser can be opened; empty when one can. `platform` is `sys.platform`."""
    if name := next((name for name in REMOTE if environ.get(name)), ""):
        return f"this is a remote machine ({name} is set)"
    if platform.startswith("linux") and not any(environ.get(name) for name in (*WINDOWED, *WSL)):
        return "this machine has no desktop (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    return ""


def pick_opener(environ: Mapping[str, str], platform: str) -> tuple[str, ...]:
    """Return the program, with its first arguments, that opens an address; empty where the user names one, or none is known."""
    if environ.get("BROWSER"):
        return ()
    if any(environ.get(name) for name in WSL):
        return WSL_OPENER
    return OPENERS.get(platform, ())
