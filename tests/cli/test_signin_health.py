"""A new sign-in ends the rest that the old one was put to."""

from __future__ import annotations

from jackfield.cli.context import Context
from jackfield.cli.signin import keep_profile
from jackfield.credential import Profile, Secret
from jackfield.errors import AuthError
from jackfield.health.store import open_health


def test_a_new_sign_in_is_tried_at_once() -> None:
    context = Context()
    health = open_health(context.config, context.now_ms)
    for profile in ("openai-codex:a", "openai-codex:b"):
        health.note_failure("openai-codex", f"profile:{profile}", "gpt-5", AuthError("the token is no longer good"))
    info = context.catalog.provider("openai-codex")
    assert info is not None
    profile = Profile(id="openai-codex:a", provider="openai-codex", type="oauth", secret=Secret("fresh"))
    keep_profile(context, info, profile)
    again = open_health(context.config, context.now_ms)
    assert [rest.place.credential for rest in again.view().rests] == ["profile:openai-codex:b"]
    again.close()
    health.close()
