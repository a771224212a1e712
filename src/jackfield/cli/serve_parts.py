"""What a gateway's process is made of: the user's set-up, put together in the process that serves, and again at each reload."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jackfield.admin.admin import Admin
from jackfield.admin.desk import Desk
from jackfield.admin.serve import serve_admin
from jackfield.admin.session import Sessions
from jackfield.app import App
from jackfield.auth.secret import forget_commands
from jackfield.cli.serve import Service, find_admin_token, find_stores
from jackfield.config.gateway import ServerRules
from jackfield.config.schema import Config
from jackfield.credential import Secret
from jackfield.errors import ConfigError
from jackfield.gateway.access import Access
from jackfield.gateway.behind import Behind
from jackfield.gateway.board import Board
from jackfield.gateway.cache import Cache
from jackfield.gateway.collector import calm_collector
from jackfield.gateway.door import Places, is_loopback
from jackfield.gateway.gateway import Beside, Gateway
from jackfield.gateway.ids import Ids
from jackfield.gateway.kept import Kept
from jackfield.gateway.log import Gathered, Log, install
from jackfield.gateway.parts import BODY_LIMIT, Clock, Parts, Settings
from jackfield.gateway.signals import obey
from jackfield.gateway.telemetry import Telemetry, Traced
from jackfield.gateway.telemetry_export import Export, is_wanted, open_export
from jackfield.gateway.watch import Files, follow, list_files
from jackfield.ledger.place import find_url
from jackfield.ledger.writer import Ledger
from jackfield.transport.listen import Listener

# What is settled at the start → how it is read.
BOUND: dict[str, Callable[[ServerRules], object]] = {
    "gateway.host": lambda rules: rules.host,
    "gateway.port": lambda rules: rules.port,
    "gateway.auth.mode": lambda rules: rules.auth,
    "gateway.drainSeconds": lambda rules: rules.drain_s,
    "gateway.admin.enabled": lambda rules: rules.admin.enabled,
    "gateway.admin.host": lambda rules: rules.admin.host,
    "gateway.admin.port": lambda rules: rules.admin.port,
}


def make_gateway(service: Service, admin: Listener | None = None) -> Gateway:
    """Return the application of one process; it reads the config when the server starts, and when it has changed."""
    install(_write, service.log_format or "json")
    clock = Clock(lambda: time.time_ns() // 1_000_000, time.monotonic, Ids("req_").make)
    first = _open_app(service)
    setup = _Setup(service, first, admin)
    watch: Beside = lambda gateway: follow(gateway, setup.files)  # noqa: E731
    signals: Beside = lambda gateway: obey(gateway, service.drain_s)  # noqa: E731
    beside = [
        calm_collector,
        watch,
        signals,
        setup.export,
        *_boards(service),
        *_admins(service, first.config, admin, clock),
    ]
    gateway = Gateway(setup.build, setup.places(first.config), clock, beside)
    if service.board:
        gateway.board = Board(Path(service.board), os.getpid())
    gateway.telemetry = setup.telemetry
    return gateway


def _admins(service: Service, config: Config, listener: Listener | None, clock: Clock) -> list[Beside]:
    if listener is None:
        return []
    places = Places(listener.getsockname()[0], config.server.allowed_hosts, is_open=True)
    started_ms = clock.now_ms()

    async def look_after(gateway: Gateway) -> None:
        desk = Desk(
            gateway=gateway,
            urls=service.urls,
            workers=service.workers,
            started_ms=started_ms,
            offline=service.offline,
        )
        sessions = Sessions(lambda: desk.admin_token, clock.now_ms)
        await serve_admin(Admin(sessions, places, desk), listener, service.board)

    return [look_after]


def _boards(service: Service) -> list[Beside]:
    async def keep(gateway: Gateway) -> None:
        if gateway.board is not None:
            await gateway.board.keep(gateway.numbers)

    return [keep] if service.board else []


class _Setup:
    """Builds parts, of what is on disk by then and of what is kept."""

    def __init__(self, service: Service, first: App, admin: Listener | None) -> None:
        self.files = Files(partial(list_files, first.paths, first.environ, first.cwd))
        self._service = service
        self._admin_host = admin.getsockname()[0] if admin else ""
        self._bound = first.config.server  # as they were at the start, or when a change was last told
        self._export = _open_export(service)
        self._kept = Kept(partial(Ledger.open, say=_say), Ids().make)

    @property
    def telemetry(self) -> Telemetry | None:
        """Where calls are told as spans, where the environment wants that."""
        return self._export.telemetry if self._export else None

    async def export(self, _: Gateway) -> None:
        """Send spans and metrics until cancelled, and what waits then."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._export:
                await asyncio.to_thread(self._export.close)

    def places(self, config: Config) -> Places:
        """Return the names that requests may call the gateway by."""
        return Places(self._service.host, config.server.allowed_hosts, is_open=self._service.is_open)

    async def build(self) -> Parts:
        """Build parts; raise what is wrong with the set-up, and leave nothing open then."""
        service = self._service
        forget_commands()
        # A catalog takes a while, and the streams of others go on. What is read is an `App`'s alone.
        app = await asyncio.to_thread(self._load)
        config, rules = app.config, app.config.server
        form, lines = service.log_format or rules.log.format or "json", Gathered(_write)
        install(_write, form, rules.log.level)
        self._tell_bound(rules)
        admin_token = await asyncio.to_thread(self._find_admin_token, config)
        access = await Access.open(find_stores(config, is_open=service.is_open), say=_say, local=self._kept.meters)
        ledger, rows = self._kept.rent_ledger(find_url(config))
        ledger.keep_days = config.callers.keep_days
        app.shared_state = config.callers.shared_state.reveal() if config.callers.shared_state else ""
        client = app.open_client()
        client.sessions = self._kept.sessions
        if self._export:
            client.direct.sender = Traced(client.direct.sender, client.pulse.now_ms)
        return Parts(
            client=client,
            access=access,
            settings=Settings(
                body_limit=rules.max_body_bytes or BODY_LIMIT, disabled=rules.disabled, is_open=service.is_open
            ),
            listeners=(Behind((Log(lines.add, form, rules.log.level), rows), lines.flush),),
            cache=Cache(rules.cache, time.monotonic) if rules.cache.enabled else None,
            places=self.places(config),
            ledger=ledger,
            admin_token=admin_token,
        )

    def _find_admin_token(self, config: Config) -> Secret | None:
        host = self._admin_host
        return find_admin_token(config, may_make=is_loopback(host))[0] if host else None

    def _load(self) -> App:
        """Read all that is on disk."""
        self.files.note()
        app = _open_app(self._service)
        _ = app.config, app.plugins, app.catalog, app.store
        return app

    def _tell_bound(self, rules: ServerRules) -> None:
        changed = [key for key, read in BOUND.items() if read(rules) != read(self._bound)]
        self._bound = rules
        if changed:
            logging.getLogger(__name__).warning("%s changed: start the gateway again to use it", ", ".join(changed))


def _open_app(service: Service) -> App:
    return App(service.environ, config_path=service.config_path, offline=service.offline)


def _open_export(service: Service) -> Export | None:
    """Return where calls are told as spans; what the environment wants in vain is told and stops nothing."""
    if not is_wanted(service.environ):
        return None
    try:
        return open_export(service.environ)
    except ConfigError as error:
        _say(f"no spans and metrics are sent: {error.message}; {error.hint}")
        return None


def _say(text: str) -> None:
    logging.getLogger(__name__).warning("%s", text)


def _write(data: bytes) -> None:
    # In one piece, so that the lines of several workers do not mix; a reader that has gone costs no answer.
    try:
        os.write(sys.stderr.fileno(), data)
    except (OSError, ValueError):
        return
