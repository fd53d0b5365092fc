"""The server: it stops in two steps, so that no visitor notices.

At SIGTERM `/readyz` says no while requests are still answered, for whoever sends
visitors here to see it; then no connection is accepted, the answers in flight end,
and the process exits with 0. A second signal, or Ctrl-C, skips the first step. One stop
may be heard of twice, from the service manager and as the supervisor passes it on.
"""

import ctypes
import gc
import logging
import math
import resource
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from socket import socket
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from thc_graph.instance.service import Service
from thc_graph.web.rendering.templates import read_messages
from thc_graph.web.serving.connections import Connection, Entrance

KEEP_ALIVE = 5  # seconds a connection may rest between two requests
M_ARENA_MAX = -8  # of mallopt(3)
SWITCH = 0.001  # seconds a thread may keep others waiting: the reading of a hostile text is one

log = logging.getLogger("thc_graph.web")


class Server(uvicorn.Server):
    """A server over one service.

    `stops` are the signals by which one and the same stop may be told: a second stop is
    one of them heard a second time, however long the machine takes to pass them on.
    """

    def __init__(
        self,
        service: Service,
        app: ASGIApp,
        host: str = "127.0.0.1",
        port: int = 0,
        announce: Callable[[], object] = lambda: None,
        stops: Collection[int] = (signal.SIGTERM,),
    ) -> None:
        _open_wide()
        _share_arenas()
        connection: Any = partial(Connection, entrance=Entrance(service.settings, read_messages()))
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=connection,
            ws="none",
            timeout_keep_alive=KEEP_ALIVE,
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # web.clients knows whom to believe
            server_header=False,
            timeout_graceful_shutdown=int(service.settings.stop_seconds),
        )
        super().__init__(config)
        self.service = service
        self.announce = announce
        self._stops = stops
        self._told: Counter[int] = Counter()  # to stop, by each signal
        self._end = math.inf  # when no more is accepted

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        _set_aside()
        for each in (bound for server in self.servers for bound in server.sockets):
            log.info("listening", extra={"facts": {"address": each.getsockname()[:2]}})
        if self.started:
            self.announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            if threading.current_thread() is threading.main_thread():
                for each in self._stops:
                    signal.signal(each, self.handle_exit)
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig not in self._stops:
            super().handle_exit(sig, frame)
            return
        self._told[sig] += 1
        if not self.service.draining:
            self.service.draining = True
            self._end = time.monotonic() + self.service.settings.drain_seconds
        elif self._told[sig] > 1:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        if time.monotonic() >= self._end:
            self.should_exit = True
        return await super().on_tick(counter)


def _set_aside() -> None:
    """Take what was made at the start from the collector, which went over it again and again.

    Schema, templates and code are a hundred thousand objects that stay as long as the server:
    each full collection took a tenth of a second of some reader's time.
    """
    gc.collect()
    gc.freeze()


def _share_arenas() -> None:
    """Let all threads take memory from two arenas, as the children do (MALLOC_ARENA_MAX).

    Else the C library sets 64 MiB of addresses aside for each thread, and gives back little.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # of another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _open_wide() -> None:
    """Take all the file handles the machine grants, and let no thread hold up the answers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.setswitchinterval(SWITCH)
