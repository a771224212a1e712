"""A credential made fit for the request that is about to leave: renewed, or changed into what the server takes.

A refresh token is sent at most once. That it is about to leave is on disk before it leaves, and
what it became before that is used; both under the lock between processes. So whoever comes
after a program that was killed in between knows that the token may be spent, and says so
instead of sending it again: to many servers a second use looks like theft.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from jackfield.auth.details import pick_flow, with_details
from jackfield.auth.flows.ask import ask_over
from jackfield.auth.flows.client import Client, find_client, find_installed, missing_client
from jackfield.auth.flows.exchange import parse_lease
from jackfield.auth.flows.token import Answer, find_refusal, render_question, render_refresh, to_profile
from jackfield.auth.health import RENEWALS
from jackfield.auth.store import FileStore
from jackfield.credential import Lease, Profile, Renewal, RequestAuth, Secret
from jackfield.errors import AuthError, BadReply, ConnectError, ConnectionLost, Error, TimeoutExpired
from jackfield.model import Flow, ProviderInfo
from jackfield.transport.reply import Sender
from jackfield.transport.request import HttpRequest

LOCK_WAIT_S = 90  # longer than the one who holds it may take to ask
# Statuses by which a server says that it has not looked at the request.
UNREAD = frozenset({403, 404, 405, 408, 413, 415, 429, 503, 529})
# Our own fault, or the server's hour: the refresh token is still good.
KEPT_CODES = frozenset({
    "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "unsupported_grant_type",
    "temporarily_unavailable", "slow_down",
})  # fmt: skip
FINAL_CODES = frozenset({"invalid_grant"})


class Refresher:
    """Makes credentials fit; many requests at a time share one refresh. Belongs to one event loop."""

    def __init__(
        self,
        store: FileStore,
        environ: Mapping[str, str],
        open_sender: Callable[[], Sender],
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._environ = environ
        self._open_sender = open_sender
        self._now_ms = now_ms
        self._running: dict[str, asyncio.Future[Profile]] = {}
        self._leases: dict[Secret, Lease] = {}  # by the secret they were changed from

    async def fresh(self, info: ProviderInfo, auth: RequestAuth, *, moved: bool = False) -> RequestAuth:
        """Return the credential to send now; raise `AuthError` saying how to sign in again.

        `moved`: the user gave the provider's address, which no token changes.
        """
        profile = self._store.read(auth.profile_id) if auth.profile_id else None
        flow = pick_flow(info, profile)
        if flow is None:
            return auth
        if profile and _is_due(profile, self._now_ms()):
            profile = await self._shared(profile.id, info, flow, _renew)
        if profile and profile.type == "oauth":
            # Also where nothing was due: another process may have renewed it since it was resolved.
            auth = with_details(replace(auth, secret=profile.secret), info, profile, moved=moved)
        if not flow.exchange_url or moved or auth.secret is None:
            return auth
        lease = await self._lease(info, flow, auth.secret, profile)
        return replace(auth, secret=lease.secret, base_url=lease.base_url or auth.base_url)

    async def _lease(self, info: ProviderInfo, flow: Flow, secret: Secret, profile: Profile | None) -> Lease:
        # Its secret stands where the store cannot write: nor is a lease of it written.
        if profile and not profile.secret:
            profile = None
        for held in (profile and profile.lease, self._leases.get(secret)):
            if held and self._now_ms() < held.expires_ms:
                return held
        lease = (await self._shared(profile.id, info, flow, _exchange)).lease if profile else None
        if lease is None:
            answer = await _answer(render_question(flow.exchange_url, secret), info, self._open_sender)
            lease = parse_lease(answer, flow, info, self._now_ms())
        # Also where it was to be stored: an entry of the keyring that is the user's own takes none.
        self._leases[secret] = lease
        return lease

    async def _shared(self, profile_id: str, info: ProviderInfo, flow: Flow, renew: Renew) -> Profile:
        """Run one refresh of a profile for all who wait for it; it goes on when one of them is cancelled."""
        running = self._running.get(profile_id)
        if running is None:
            work = Work(self._store, self._environ, self._open_sender, self._now_ms, info, flow)
            running = asyncio.ensure_future(asyncio.to_thread(renew, work, profile_id))
            self._running[profile_id] = running
            running.add_done_callback(lambda _: self._running.pop(profile_id, None))
        return await asyncio.shield(running)


class Work:
    """One profile's refresh, on a thread of its own because it waits for a lock."""

    def __init__(
        self,
        store: FileStore,
        environ: Mapping[str, str],
        open_sender: Callable[[], Sender],
        now_ms: Callable[[], int],
        info: ProviderInfo,
        flow: Flow,
    ) -> None:
        self.store = store
        self.environ = environ
        self.now_ms = now_ms
        self.info = info
        self.flow = flow
        self._open_sender = open_sender
        self.failure: Error | None = None  # to be raised once what is known is on disk
        self.is_done = False

    def ask(self, request: HttpRequest) -> Answer:
        """Ask over a connection of this thread's own; no cancelled request takes the answer away."""
        return asyncio.run(_answer(request, self.info, self._open_sender))

    def client(self, profile: Profile) -> Client:
        """Return the client that the profile was made with, with its secret where it has one."""
        known = profile.details.get("clientId", "")
        found = find_client(self.info.id, self.flow, self.environ)
        if found and known in {"", found.id}:
            return found
        if known and not self.flow.client_secret_env:
            return Client(known)
        # Agreed to when the profile was made.
        installed = find_installed(self.flow, self.environ)
        if installed and installed.id == known:
            return installed
        if known:
            return Client(known)
        raise missing_client(self.info.id, self.flow)

    # -- the two steps of a refresh, each on disk before the next ------------------

    def begin(self, old: Profile | None) -> Profile | None:
        """Note that the refresh token is about to leave, unless another process has been here."""
        if old is None or not _is_due(old, self.now_ms()):
            self.is_done = True
            return old
        if old.renewal:
            self.failure = failed(self.info, RENEWALS[old.renewal])
            return replace(old, renewal="lost") if old.renewal == "begun" else old
        return old if self.flow.keeps_refresh else replace(old, renewal="begun")

    def finish(self, old: Profile | None) -> Profile | None:
        """Send the refresh token and return the profile it becomes; a failure is kept for later."""
        if old is None or old.refresh is None or self.is_done or self.failure:
            return old
        try:
            answer = self.ask(render_refresh(self.flow, self.client(old), old.refresh))
            renewal, why = judge(answer)
            if not why:
                return to_profile(answer.fields, self.flow, old, self.now_ms())
            renewal = "" if renewal == "lost" and self.flow.keeps_refresh else renewal
            self.failure = failed(self.info, why, is_final=bool(renewal))
        except Error as error:
            renewal = "lost" if may_be_heard(error) and not self.flow.keeps_refresh else ""
            self.failure = failed(self.info, error.message, is_final=bool(renewal))
            self.failure.__cause__ = error
        return replace(old, renewal=renewal)


Renew = Callable[[Work, str], Profile]


def _renew(work: Work, profile_id: str) -> Profile:
    profile = work.store.modify(profile_id, work.begin, work.finish, wait_s=LOCK_WAIT_S)
    if work.failure:
        raise work.failure
    if profile is None:
        raise failed(work.info, f"the profile {profile_id} is gone")
    return profile


def _exchange(work: Work, profile_id: str) -> Profile:
    def change(old: Profile | None) -> Profile | None:
        if old is None or (old.lease and work.now_ms() < old.lease.expires_ms):
            return old
        answer = work.ask(render_question(work.flow.exchange_url, old.secret))
        return replace(old, lease=parse_lease(answer, work.flow, work.info, work.now_ms()))

    profile = work.store.modify(profile_id, change, wait_s=LOCK_WAIT_S)
    if profile is None:
        raise failed(work.info, f"the profile {profile_id} is gone")
    return profile


def judge(answer: Answer) -> tuple[Renewal, str]:
    """Return how a refresh ended and why it failed; both empty when it did not."""
    code, said = find_refusal(answer.fields)
    said = (said or code or "no reason given")[:300]
    if answer.status < 400 and not code:
        return ("", "") if answer.fields.get("access_token") else ("lost", "the answer holds no token")
    if code in KEPT_CODES or (answer.status in UNREAD and code not in FINAL_CODES):
        return "", f"{said} (HTTP {answer.status})"
    if answer.status >= 500 and code not in FINAL_CODES:
        return "lost", f"{said} (HTTP {answer.status}); {RENEWALS['lost']}"
    return "refused", f"{said} (HTTP {answer.status})"


def may_be_heard(error: Error) -> bool:
    """Tell whether the server may have taken the request although we know no answer."""
    if isinstance(error, ConnectError):
        return isinstance(error, ConnectionLost)
    if isinstance(error, TimeoutExpired):
        return error.code != "connect"
    # A redirect is an answer of whoever stands before the server; a missing client is our own fault.
    return not (isinstance(error, AuthError) or (isinstance(error, BadReply) and error.status))


def failed(info: ProviderInfo, why: str, *, is_final: bool = True) -> AuthError:
    """Return the error for a refresh that failed."""
    login = f"jackfield models auth login --provider {info.id}"
    return AuthError(
        f"OAuth token refresh failed for {info.id}: {why}",
        hint=f"run: {login}" if is_final else f"try again; if it stays so, run: {login}",
    )


def _is_due(profile: Profile, now_ms: int) -> bool:
    return bool(profile.refresh and profile.expires_ms is not None and now_ms >= profile.expires_ms)


async def _answer(request: HttpRequest, info: ProviderInfo, open_sender: Callable[[], Sender]) -> Answer:
    sender = open_sender()
    try:
        return await ask_over(sender, request, info)
    finally:
        await sender.close()
