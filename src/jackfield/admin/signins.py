"""Sign-ins that the page has begun: each a task, and what the person at the browser is to see of it.

They live as long as the process. A profile is kept the moment the sign-in ends well, whether or not
the page still looks.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from jackfield.admin.desk import Desk
from jackfield.admin.lines import render_error
from jackfield.admin.providers import keep
from jackfield.auth.flows.client import Client
from jackfield.auth.flows.device import Code
from jackfield.errors import Error, InvalidRequest
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.setup.meeting import meet

STATE = "providers.signins"
MOST = 20  # ended ones that are remembered
Phase = Literal["begins", "waits", "done", "failed", "cancelled"]


class SignIn:
    """One sign-in, as a flow's person and as what the page looks at."""

    def __init__(self, number: str, info: ProviderInfo, way: AuthMethod) -> None:
        self.number = number
        self.info = info
        self.way = way
        self.phase: Phase = "begins"
        self._url = ""
        self._code: Code | None = None
        self._notes: list[str] = []
        self._made: JsonObject = {}
        self._error: Error | None = None
        self._pasting: asyncio.Future[str] | None = None
        self._task: asyncio.Task[None] | None = None

    # -- the person of a flow ------------------------------------------------------

    def tell(self, text: str) -> None:
        """Keep a line that is neither the page to open nor the code."""
        if "\n" not in text and self._code is None:
            self._notes.append(text)

    def browse(self, url: str) -> None:
        """Have the page to open shown: this process opens none, its person may sit elsewhere."""
        self._url, self.phase = url, "waits"

    def show_code(self, code: Code) -> None:
        """Have the code shown."""
        self._code = code

    async def paste(self, question: str) -> str:  # noqa: ARG002  the page has its own words for it
        """Return what is pasted into the page."""
        self._pasting = asyncio.get_running_loop().create_future()
        return await self._pasting

    # -- its life ------------------------------------------------------------------

    def begin(self, desk: Desk, client: Client, profile_id: str) -> None:
        """Run it beside everything else."""
        self._task = asyncio.create_task(self._run(desk, client, profile_id))

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come of it."""
        return self.phase in {"done", "failed", "cancelled"}

    def hear(self, text: str) -> None:
        """Hand on what was pasted; raise `InvalidRequest` where nobody waits for it."""
        if self._pasting is None or self._pasting.done():
            raise InvalidRequest("this sign-in takes no address now", hint="look how it stands, or start it again")
        self._pasting.set_result(text)

    async def cancel(self) -> None:
        """End it; what was asked for so far is forgotten."""
        if self.is_over:
            return
        self.phase = "cancelled"
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, desk: Desk, client: Client, profile_id: str) -> None:
        try:
            profile = await meet(
                desk,
                self.info,
                self.way,
                client,
                person=self,
                profile_id=profile_id or None,
                offline=desk.offline,
                show_code=self.show_code,
            )
            self._made, self.phase = keep(desk, self.info, profile, self.way), "done"
        except Error as error:
            self._error, self.phase = error, "failed"
        finally:
            self._url, self._code = "", None
            if not self.is_over:  # whatever it was: nobody waits for what does not go on
                self._error, self.phase = Error("the sign-in failed inside the gateway; its log says more"), "failed"

    def render(self) -> JsonObject:
        """Return what the page shows; what the sign-in brought is in the store, and not here."""
        code = self._code
        said: JsonObject = {
            "id": self.number,
            "provider": self.info.id,
            "name": self.info.name or self.info.id,
            "label": self.way.label,
            "phase": self.phase,
            "notes": self._notes,
            "canPaste": self._pasting is not None and not self._pasting.done(),
            **self._made,
        }
        if code:
            said |= {"userCode": code.user_code, "url": code.url, "wholeUrl": code.whole_url, "endsMs": code.ends_ms}
        elif self._url:
            said["url"] = self._url
        if self._error:
            said["error"] = render_error(self._error)
        return said


def all_of(desk: Desk) -> dict[str, SignIn]:
    """Return the sign-ins by their numbers, to be changed; the oldest of those that are over are forgotten."""
    every: dict[str, SignIn] = desk.state.setdefault(STATE, {})
    for number in [each.number for each in every.values() if each.is_over][:-MOST]:
        del every[number]
    return every


def find_signin(desk: Desk, number: str) -> SignIn:
    """Return a sign-in; raise `InvalidRequest` for one that nobody remembers."""
    found = all_of(desk).get(number)
    if found is None:
        raise InvalidRequest("this sign-in is not known any more", hint="start it again: the gateway was started anew")
    return found
