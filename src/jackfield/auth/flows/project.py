"""The Code Assist project of a Google account: looked up after a sign-in, made where there is none yet.

Requests and replies as github.com/google-gemini/gemini-cli sends and reads them (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jackfield.auth.flows.token import Ask, as_text, check_answer, render_question
from jackfield.credential import Secret
from jackfield.errors import AuthError
from jackfield.message import JsonObject

FREE, LEGACY = "free-tier", "legacy-tier"
METADATA = {"ideType": "IDE_UNSPECIFIED", "platform": "PLATFORM_UNSPECIFIED", "pluginType": "PLUGIN_UNSPECIFIED"}
POLLS, POLL_S = 24, 5.0


async def find_project(url: str, token: Secret, own: str, ask: Ask, sleep: Callable[[float], Awaitable[object]]) -> str:
    """Return the project; `own` is the one the user names, which paid tiers need. Raises `AuthError` without one."""
    named: JsonObject = {"cloudaicompanionProject": own} if own else {}

    async def post(verb: str, body: JsonObject) -> JsonObject:
        target = f"{url}:{verb}"
        return check_answer(await ask(render_question(target, token, {**body, "metadata": METADATA})), target)

    found = await post("loadCodeAssist", named)
    if project := _project(found) or (own if found.get("currentTier") else ""):
        return project
    tier = _default_tier(found)
    if tier != FREE and not own:
        raise AuthError(
            "this Google account's plan needs a Cloud project of its own",
            hint="set GOOGLE_CLOUD_PROJECT and sign in again",
        )
    operation = await post("onboardUser", {"tierId": tier, **({} if tier == FREE else named)})
    for _ in range(POLLS):
        if operation.get("done"):
            break
        await sleep(POLL_S)
        target = f"{url}/{as_text(operation.get('name'))}"
        operation = check_answer(await ask(render_question(target, token)), target)
    response = operation.get("response")
    if project := _project(response if isinstance(response, dict) else {}) or own:
        return project
    raise AuthError("Google made no project for this account", hint="set GOOGLE_CLOUD_PROJECT and sign in again")


def _project(fields: JsonObject) -> str:
    value = fields.get("cloudaicompanionProject")
    return as_text(value.get("id")) if isinstance(value, dict) else as_text(value)


def _default_tier(fields: JsonObject) -> str:
    tiers = fields.get("allowedTiers")
    listed = [tier for tier in tiers if isinstance(tier, dict)] if isinstance(tiers, list) else []
    return next((as_text(tier.get("id")) for tier in listed if tier.get("isDefault")), LEGACY)
