"""A way to providers on which every request gets the headers of the plugins, whatever it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jackfield.transport.reply import HttpReply, Sender
from jackfield.transport.request import HttpRequest

if TYPE_CHECKING:
    from jackfield.plugins.load import Plugins


class Dressed:
    """A sender around another one, which stays its owner's to close."""

    def __init__(self, sender: Sender, plugins: Plugins, model: str = "") -> None:
        self.is_live = sender.is_live
        self._sender = sender
        self._plugins = plugins
        self._model = model

    async def open(self, request: HttpRequest) -> HttpReply:
        """Send a request with what the plugins add; one about no single model names its provider."""
        about = self._model or request.settings.removeprefix("models.providers.")
        return await self._sender.open(self._plugins.with_headers(request, about))

    async def close(self) -> None:
        """Close nothing."""
