"""Sign-ins against oidc-provider, a certified server: a page, a code for a device, tokens that rotate."""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from jackfield.auth.flows.ask import ask_over
from jackfield.auth.flows.client import Client
from jackfield.auth.flows.signin import World, sign_in
from jackfield.auth.flows.token import render_refresh
from jackfield.auth.refresh import Refresher
from jackfield.auth.store import FileStore
from jackfield.credential import Profile, RequestAuth
from jackfield.errors import AuthError
from jackfield.model import AuthMethod, Flow, ProviderInfo
from jackfield.transport.http import Transport
from tests.commands import run
from tests.plugins.folder import plugin_home, write_row

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / ".venv" / "oidc" / "node_modules" / "oidc-provider" / "lib" / "index.js"
ADDRESS = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")
CLIENT = Client("cli", origin="test")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    node = shutil.which("node")
    if node is None or not LIBRARY.is_file():
        pytest.skip("no oidc-provider: it needs Node.js with npm, then `scripts/setup dev`")
    command = [node, str(HERE / "oidc" / "server.mjs"), str(LIBRARY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            found = next((match for line in server.stdout if (match := ADDRESS.search(line))), None)
            assert found, "oidc-provider did not start"
            threading.Thread(target=server.stdout.read, daemon=True).start()
            yield found[1]
        finally:
            server.kill()


class Browser:
    """Keeps cookies and fills in the server's forms: a person who says yes, or turns back."""

    def __init__(self, *, consents: bool = True) -> None:
        self.consents = consents
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def open(self, url: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        data = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            with self._opener.open(url, data) as reply:
                return reply.geturl(), reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.url, error.read().decode()

    def walk(self, url: str, **typed: str) -> str:
        """Go through all forms and return the last page."""
        url, page = self.open(url)
        for _ in range(8):
            found = re.search(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL)
            if not found:
                return page
            if not self.consents and (abort := re.search(r'href="([^"]*/abort)"', page)):
                url, page = self.open(urllib.parse.urljoin(url, abort[1]))
                continue
            inputs = re.findall(r"<input[^>]*>", found[2])
            named = {
                name[1]: value[1] if (value := re.search(r'value="([^"]*)"', each)) else ""
                for each in inputs
                if (name := re.search(r'name="([^"]+)"', each))
            }
            said = {"login": "alice", "password": "x", **typed}
            fields = {name: said.get(name, value) for name, value in named.items()}
            if "xsrf" in fields and "user_code" in typed:
                fields |= {"user_code": typed["user_code"], **({"confirm": "yes"} if "user_code" not in named else {})}
            url, page = self.open(urllib.parse.urljoin(url, found[1].replace("&amp;", "&")), fields)
        return page


class Somebody:
    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.told: list[str] = []
        self.last = ""

    def tell(self, text: str) -> None:
        self.told.append(text)

    def browse(self, url: str) -> None:
        code = next((text.rpartition(" ")[2] for text in self.told if "enter the code" in text), "")
        asyncio.get_running_loop().run_in_executor(None, self._walk, url, code)

    def _walk(self, url: str, code: str) -> None:
        self.last = self.browser.walk(url, **({"user_code": code} if code else {}))

    async def paste(self, question: str) -> str:
        await asyncio.Event().wait()
        return question


def provider(issuer: str, engine: str) -> ProviderInfo:
    flow = Flow(
        engine="device" if engine == "device" else "pkce",
        authorize_url=f"{issuer}/auth",
        device_url=f"{issuer}/device/auth",
        token_url=f"{issuer}/token",
        client_id="cli",
        scopes=("openid", "offline_access"),
        params={"prompt": "consent"},
    )
    return ProviderInfo(
        id="box", base_url="https://box.example/v1", auth=(AuthMethod(choice="box", kind="oauth", flow=flow),)
    )


async def meet(info: ProviderInfo, person: Somebody) -> Profile:
    async def soon(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.3))

    async with Transport() as sender:
        world = World(
            ask=lambda request: ask_over(sender, request, info),
            person=person,
            environ={"DISPLAY": ":0"},
            platform="linux",
            random=os.urandom,
            now_ms=lambda: int(time.time() * 1000),
            sleep=soon,
            landing_s=20,
        )
        return await sign_in(info, info.auth[0], CLIENT, world)


async def test_a_page_with_a_landing_on_any_port(issuer: str) -> None:
    profile = await meet(provider(issuer, "pkce"), Somebody(Browser()))
    assert profile.type == "oauth"
    assert profile.refresh
    assert profile.expires_ms
    assert profile.expires_ms > time.time() * 1000


async def test_a_person_who_turns_back(issuer: str) -> None:
    with pytest.raises(AuthError, match="consent was refused"):
        await meet(provider(issuer, "pkce"), Somebody(Browser(consents=False)))


async def test_a_code_for_another_device(issuer: str) -> None:
    profile = await meet(provider(issuer, "device"), Somebody(Browser()))
    assert profile.refresh
    assert profile.secret


async def test_a_rotating_token_is_spent_once_and_a_second_use_is_refused(issuer: str, tmp_path: Path) -> None:
    info = provider(issuer, "pkce")
    profile = await meet(info, Somebody(Browser()))
    first = profile.refresh
    assert first
    store = FileStore(tmp_path / "auth.json")
    store.modify(profile.id, lambda _: replace(profile, expires_ms=1))
    auth = RequestAuth(secret=profile.secret, source="test", profile_id=profile.id, type="oauth")
    refresher = Refresher(store, {}, Transport, lambda: int(time.time() * 1000))
    fresh = await asyncio.gather(*(refresher.fresh(info, auth) for _ in range(20)))
    assert len({each.secret for each in fresh}) == 1
    assert fresh[0].secret != profile.secret
    renewed = store.read(profile.id)
    assert renewed
    assert renewed.refresh != first
    # Somebody else uses the old one: the server ends the whole family, and we say so once.
    flow = info.auth[0].flow
    assert flow
    async with Transport() as sender:
        answer = await ask_over(sender, render_refresh(flow, CLIENT, first), info)
    assert answer.fields["error"] == "invalid_grant"
    store.modify(profile.id, lambda old: old and replace(old, expires_ms=1))
    with pytest.raises(AuthError, match="OAuth token refresh failed for box"):
        await refresher.fresh(info, auth)
    assert json.loads((tmp_path / "auth.json").read_text())["profiles"][profile.id]["renewal"].startswith("refused:")


# -- from the wizard ---------------------------------------------------------------

ROW = """
id = "box"
name = "Box"
baseUrl = "https://box.example/v1"
[[auth]]
choice = "box-{engine}"
kind = "oauth"
label = "Box"
[auth.flow]
engine = "{engine}"
clientId = "cli"
authorizeUrl = "{issuer}/auth"
deviceUrl = "{issuer}/device/auth"
tokenUrl = "{issuer}/token"
scopes = ["openid", "offline_access"]
params = {{ prompt = "consent" }}
[[models]]
id = "small"
"""


@pytest.mark.parametrize("engine", ["pkce", "device"])
def test_the_wizard_signs_in_there_on_a_terminal(issuer: str, engine: str, home: Path) -> None:
    terminal = pytest.importorskip("tests.wizard.terminal")
    write_row(plugin_home(home), ROW.format(engine=engine, issuer=issuer), "box")
    assert run("plugins", "enable", "box").code == 0
    pages: list[str] = []

    def visit(shown: str) -> str:
        url = re.findall(r"https?://\S+", shown)[-1]
        code = shown.rpartition("code: ")[2].split()
        pages.append(Browser().walk(url, **({"user_code": code[0]} if engine == "device" else {})))
        return ""

    asked = "paste the address" if engine == "pkce" else r"enter the code: \S+"
    steps = [(asked, visit), terminal.MODEL, terminal.NO_CHECK, terminal.WRITE]
    ended = terminal.drive("onboard", "--auth-choice", f"box-{engine}", steps=steps)
    assert (ended.code, terminal.primary()) == (0, "box/small"), (ended.shown, pages)
    [kept] = terminal.profiles().values()
    assert kept["access"]
    assert kept["refresh"]
    assert kept["access"] not in ended.shown
