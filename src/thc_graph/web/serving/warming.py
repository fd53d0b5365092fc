"""Warming: what is asked most is made from a new publication before that one is served.

Whatever was made from the former one is of no more use, so that everybody would wait for
it at the same time. Meanwhile the former one answers; what is made here is asked as
visitors ask it, one address after the other and on our own account, for a moment only.
"""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thc_graph.web.http.responses import REPRESENTED

KNOWN: Final = 256  # addresses whose readers are counted
LONGEST: Final = 1024  # bytes of one, and of what its reader prefers
MADE: Final = 32  # of them, the most asked, are made
TWICE: Final = 2  # what was asked once since the last publication may not be asked again
SECONDS: Final = 0.25  # in which the last one is begun
PATIENCE: Final = 1.0  # seconds in which it ends: a new publication waits for it
PAUSE: Final = 0.005  # seconds, between two: visitors wait while one is written
KEPT: Final = ("type", "asgi", "http_version", "scheme", "root_path", "server", "app")
PREFERRED: Final = ("accept", "accept-encoding", "accept-language")

Address = tuple[str, bytes, tuple[tuple[bytes, bytes], ...]]


class Warmth:
    """What is asked of an application, and how often since the last publication."""

    def __init__(self) -> None:
        self.asked = OrderedDict[Address, int]()  # whose last reader came longest ago, first
        self.app: ASGIApp | None = None
        self.scope: dict[str, Any] = {}

    def note(self, scope: Scope) -> None:
        """Count one reader of an address, as the application wrote it."""
        self.scope = {name: scope[name] for name in KEPT if name in scope}
        headers = Headers(scope=scope)
        liked = tuple((n.encode(), headers[n].encode("latin-1")) for n in PREFERRED if n in headers)
        address = (scope["path"], scope["query_string"], liked)
        if len(repr(address)) > LONGEST:
            return
        self.asked[address] = self.asked.pop(address, 0) + 1
        if len(self.asked) > KNOWN:
            self.asked.popitem(last=False)

    async def make(self) -> None:
        """Make what was asked most, and count anew."""
        asked, self.asked = self.asked, OrderedDict()
        hottest = sorted((each for each in asked if asked[each] >= TWICE), key=asked.__getitem__)
        end = time.monotonic() + SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for address in hottest[: -MADE - 1 : -1]:
                    if time.monotonic() < end:
                        await self._ask(*address)
                        await asyncio.sleep(PAUSE)

    async def _ask(self, path: str, query: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        assert self.app is not None  # somebody asked
        scope = {
            **self.scope,
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": list(headers),
            "client": None,
        }
        with suppress(Exception):  # it is told to the visitor who asks it
            await self.app(scope, _nothing, _nowhere)


class Warming:
    """ASGI middleware: notes which representations of published data are asked."""

    def __init__(self, app: ASGIApp, warmth: Warmth) -> None:
        self.app, self.warmth = app, warmth
        warmth.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if REPRESENTED in scope:
            self.warmth.note(scope)


async def _nothing() -> Message:
    await asyncio.Event().wait()  # nobody hangs up
    raise AssertionError


async def _nowhere(message: Message) -> None:
    del message
