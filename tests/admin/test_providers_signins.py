"""Sign-ins over the page's API: what is told of them, how they end, and that no token is in an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from jackfield.admin.signins import SignIn
from jackfield.model import AuthMethod, ProviderInfo
from tests.admin.test_providers import Desk, config, store
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.patience import await_true
from tests.plugins.folder import plugin_home, write_row
from tests.servers import Received, json_reply, serve

ROW = """
id = "acme"
name = "Acme"
baseUrl = "https://acme.example/v1"
[[auth]]
choice = "acme-page"
kind = "oauth"
label = "Acme in the browser"
[auth.flow]
engine = "pkce"
clientId = "cli"
authorizeUrl = "{issuer}/auth"
tokenUrl = "{issuer}/token"
scopes = ["openid", "offline_access"]
params = {{ prompt = "consent" }}
[[auth]]
choice = "acme-device"
kind = "device-code"
label = "Acme with a code"
[auth.flow]
engine = "device"
clientId = "cli"
deviceUrl = "{issuer}/device/auth"
tokenUrl = "{issuer}/token"
scopes = ["openid", "offline_access"]
[[models]]
id = "small"
"""
TOKENS = {"access_token": "at-canary-0123456789", "refresh_token": "rt-canary-0123456789", "expires_in": 3600}
CODE = {
    "device_code": "dc-canary-0123456789", "user_code": "ABCD-EFGH", "verification_uri": "https://acme.example/device",
    "interval": 1, "expires_in": 60,
}  # fmt: skip


class Issuer:
    """A server that gives codes, and tokens once somebody has agreed."""

    agreed = False

    def __call__(self, received: Received) -> list:
        if received.target.endswith("/device/auth"):
            return json_reply(CODE)
        return json_reply(TOKENS) if self.agreed else json_reply({"error": "authorization_pending"}, 400)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def desk(home, issuer) -> Iterator[Desk]:
    with serve(issuer) as server:
        write_row(plugin_home(home), ROW.format(issuer=server.url), "acme")
        said = json.loads(config("http://127.0.0.1:1"))
        write_config(json.dumps({**said, "plugins": {"entries": {"acme": {"enabled": True}}}}))
        with gateway_process() as process:
            found = Desk(process)
            found.issuer = server
            yield found
            assert not [said for said in found.said if "canary" in said]


def begin(desk: Desk, choice: str = "acme-device", **more: object) -> dict:
    return desk.ask("signins", {"provider": "acme", "choice": choice, **more})


def wait_for(desk: Desk, number: str, word: str) -> dict:
    said: dict = {}

    def has_come() -> bool:
        said.clear()
        said.update(desk.ask(f"signins?id={number}"))
        return said["phase"] == word or bool(said.get(word))

    await_true(has_come, word)
    return said


def test_a_code_is_told_and_the_profile_kept_without_anybody_looking(desk, issuer) -> None:
    number = begin(desk, profileId="work")["id"]
    said = wait_for(desk, number, "userCode")
    assert (said["phase"], said["userCode"], said["url"]) == ("waits", "ABCD-EFGH", "https://acme.example/device")
    assert said["endsMs"] > time.time() * 1000
    issuer.agreed = True
    done = wait_for(desk, number, "done")
    assert (done["profileId"], done["hasDefault"], "userCode" in done) == ("acme:work", True, False)
    assert store()["profiles"]["acme:work"]["refresh"] == TOKENS["refresh_token"]
    assert "acme" not in json.dumps(desk.process.admin("config")[1]["config"].get("auth", {}))
    desk.ask("providers")


def test_a_new_sign_in_ends_the_older_one_of_its_provider(desk) -> None:
    first = begin(desk, "acme-page")["id"]
    url = wait_for(desk, first, "url")["url"]
    assert "code_challenge_method=S256" in url
    second = begin(desk, "acme-page")["id"]
    assert wait_for(desk, first, "cancelled")
    assert [each["id"] for each in desk.ask("signins")["signins"]] == [second]
    assert desk.ask("signins/cancel", {"id": second})["phase"] == "cancelled"
    assert desk.ask("signins/cancel", {"id": second})["phase"] == "cancelled"
    wrong = desk.ask("signins/paste", {"id": second, "text": "http://127.0.0.1/callback?code=c&state=s"}, status=400)
    assert "takes no address now" in wrong["error"]["message"]


def test_a_profile_that_the_order_leaves_out_is_told(desk, issuer) -> None:
    desk.ask("providers/key", {"provider": "acme", "key": "sk-0123456789abc", "profileId": "old"})
    desk.ask("providers/order", {"provider": "acme", "ids": ["acme:old"]})
    issuer.agreed = True
    wait_for(desk, begin(desk)["id"], "done")
    assert desk.card("acme")["order"] == ["acme:default", "acme:old"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"provider": "acme", "choice": "nothing"}, "no sign-in 'nothing' in a browser"),
        ({"provider": "acme", "choice": "acme-page", "company": "x.example"}, "no servers of companies"),
        ({"provider": "acme", "choice": "acme-page", "profileId": "venice:x"}, "does not belong to acme"),
        ({"provider": "openai-codex", "choice": "openai-codex"}, "needs an OAuth client id"),
        ({"provider": "google-gemini-cli", "choice": "google-gemini-cli"}, "is disabled"),
        ({"provider": "nobody", "choice": "x"}, "unknown provider"),
    ],
)
def test_what_cannot_be_begun_says_what_to_do(desk, body, word) -> None:
    said = desk.ask("signins", body, status=400)["error"]
    assert word in said["message"]
    assert said.get("hint") or "nobody" in word or body["provider"] == "nobody"


def test_one_that_nobody_remembers_is_told(desk) -> None:
    assert "not known any more" in desk.ask("signins?id=x", status=400)["error"]["message"]


def test_a_paste_that_is_none_of_its_own_ends_it_and_says_why(desk) -> None:
    number = begin(desk, "acme-page")["id"]
    wait_for(desk, number, "canPaste")
    desk.ask("signins/paste", {"id": number, "text": " "}, status=400)
    desk.ask("signins/paste", {"id": number, "text": "no-code-of-theirs#wrong"})
    failed = wait_for(desk, number, "failed")
    assert "the sign-in failed" in failed["error"]["message"]
    assert store()["profiles"] == {}


async def test_a_sign_in_that_fails_as_nobody_foresaw_is_over_and_says_so() -> None:
    way = AuthMethod(choice="acme-page", kind="oauth", label="Acme in the browser")
    begun = SignIn("1", ProviderInfo(id="acme"), way)
    begun.begin(None, None, "")  # type: ignore[arg-type]  # what no flow survives
    with pytest.raises(AttributeError):
        await begun._task  # type: ignore[misc]
    assert (begun.render()["phase"], "its log says more" in begun.render()["error"]["message"]) == ("failed", True)
    await begun.cancel()
    assert begun.phase == "failed"
