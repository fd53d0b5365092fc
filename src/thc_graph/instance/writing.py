"""Writing: what is written to an instance while it serves, one thing after the other.

A server never writes: an engine that may write would be open in it, and half a second of
the interpreter would be gone from its visitors. It asks a clerk, a process that stays. One
that is killed, at its deadline or by a fault, is replaced; the new one first finishes what
the other had recorded.
"""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, astuple, dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from thc_graph.errors import (
    QueryFailed,
    QueryOutOfMemory,
    QueryTimeout,
    QueueFull,
    StoreError,
)
from thc_graph.instance import crossing
from thc_graph.instance.service import Service
from thc_graph.instance.settings import Resources, Settings, resources
from thc_graph.people.tokens import Token
from thc_graph.processes import parent
from thc_graph.processes.parent import Child
from thc_graph.store.writes import updates
from thc_graph.store.writes.update_process import Desk
from thc_graph.store.writes.updates import Edit, Written

WAITING: Final = 16  # that may wait for their turn
START_SECONDS: Final = 600.0  # a store may have to be made again from its history
GREETING: Final = 4  # bytes of the length of a frame

_LOG: Final = logging.getLogger(__name__)


class Writing:
    """The queue of writes of one instance, and its clerk, who sits while the context lasts."""

    def __init__(self, settings: Settings, files: Resources | None = None) -> None:
        self.settings = settings
        self.files = files or resources()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._clerk: asyncio.Task[Child] | None = None  # starting, or started

    async def __aenter__(self) -> Self:
        self._seat()  # ready by the time that somebody writes
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(TimeoutError):  # a write that takes longer is cut: nothing is half published
            async with asyncio.timeout(self.settings.stop_seconds):
                await self._turn.acquire()
        await self._dismiss()

    async def write(self, edit: Edit, token: Token, message: str) -> Written:
        """Publish a write, in its turn; once begun it goes on, whoever stops waiting.

        Raises:
            QueueFull: Too many wait already.
            QueryTimeout: It took longer than it may; history tells whether it was published.
            QueryFailed: The clerk died of it, of too much memory for one.
            EditError, QueryError, StoreError: See `updates.write`.
        """
        request = {
            "kind": "publish",
            "edit": edit.request,
            "condition": asdict(edit.condition),
            "role": token.role,
            "author": token.name,
            "message": message,
        }
        settings = self.settings
        seconds = settings.lock_seconds + settings.update_seconds + settings.publish_seconds
        return crossing.written_of(await self._ask(request, edit.body, seconds))

    async def _ask(self, request: Mapping[str, Any], body: bytes, seconds: float) -> dict[str, Any]:
        if self._waiting >= WAITING:
            raise QueueFull(self._waiting)
        self._waiting += 1
        try:
            await self._wait()
            work = asyncio.ensure_future(self._answer(request, body, seconds))
            work.add_done_callback(self._next)
            header = await asyncio.shield(work)
        finally:
            self._waiting -= 1
        if header["kind"] == "error":
            raise crossing.error_of(header)
        if header["kind"] == "fault":
            raise RuntimeError("The clerk met a fault of ours, told before this line.")
        return header

    async def _wait(self) -> None:
        """Have the turn, or QueueFull where whoever has it takes long."""
        try:
            async with asyncio.timeout(self.settings.update_seconds):
                await self._turn.acquire()
        except TimeoutError:
            raise QueueFull(int(self.settings.update_seconds)) from None

    def _next(self, work: "asyncio.Future[dict[str, Any]]") -> None:
        self._turn.release()
        if not work.cancelled():
            work.exception()  # retrieved: whoever asked may have left

    async def _answer(
        self, request: Mapping[str, Any], body: bytes, seconds: float
    ) -> dict[str, Any]:
        clerk = await asyncio.shield(self._seat())
        try:
            async with asyncio.timeout(seconds):
                frame = parent.frame({**request, "length": len(body)})
                header, _ = await clerk.ask(frame + body)
        except TimeoutError:
            raise QueryTimeout(seconds) from None
        except EOFError:
            if await clerk.end() == -signal.SIGABRT:  # how an allocation refused ends
                raise QueryOutOfMemory(self.settings.memory) from None
            raise QueryFailed("crash") from None
        finally:
            if not clerk.alive:
                await self._dismiss()
                self._seat()
        return header

    def _seat(self) -> "asyncio.Task[Child]":
        """Return the clerk; another one where there is none, or the last one did not start."""
        clerk = self._clerk
        if clerk is None or (clerk.done() and (clerk.exception() or not clerk.result().alive)):
            self._clerk = clerk = asyncio.ensure_future(self._started())
        return clerk

    async def _started(self) -> Child:
        """Start a clerk.

        Raises:
            StoreError: It found the store at fault, or did not start.
        """
        command, environment = _command(self.settings, self.files)
        clerk = await parent.start(command, environment, log=None)
        try:
            await clerk.greet(crossing.error_of, START_SECONDS)
        except BaseException:
            await clerk.reap()
            raise
        clerk.ended.add_done_callback(lambda _: self._lost(clerk))
        return clerk

    def _lost(self, clerk: Child) -> None:
        """Seat another where the clerk ended by itself: it may have recorded and not published."""
        seated = self._clerk
        if seated is not None and seated.done() and not seated.exception():
            self._clerk = None if seated.result() is clerk else seated
            self._seat()

    async def _dismiss(self) -> None:
        starting, self._clerk = self._clerk, None
        if starting is None:
            return
        starting.cancel()
        try:
            clerk = await starting
        except (asyncio.CancelledError, StoreError):
            return
        await clerk.reap()


def recover(settings: Settings) -> bool:
    """Finish what a crash interrupted, by a clerk who leaves at once.

    False where another process writes at this time: it does the same.

    Raises:
        StoreError: The store is at fault.
    """
    command, environment = _command(settings, resources())
    done = subprocess.run(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, check=False
    )
    if len(done.stdout) < GREETING:
        raise StoreError("A process did not start.")
    header = json.loads(done.stdout[GREETING:])
    if header["kind"] == "error":
        raise crossing.error_of(header)
    return not header["locked"]


def _command(settings: Settings, files: Resources) -> tuple[list[str], dict[str, str]]:
    facts = {**asdict(settings), "store": str(settings.store.resolve())}
    options = {
        "settings": facts,
        "files": [str(each) for each in astuple(files)],
        "parent": os.getpid(),
    }
    command = [sys.executable, "-I", "-m", "thc_graph.instance.clerk", json.dumps(options)]
    # Else each thread of the engine sets 64 MiB aside, out of what the clerk may touch.
    return command, {**os.environ, "MALLOC_ARENA_MAX": "2"}


@dataclass
class Door:
    """What the writes of one instance share."""

    service: Service
    writing: Writing
    desk: Desk  # where graphs are read
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    written: int = 0  # publications made here
    served: int = 0  # and those of them that queries here see

    @property
    def base(self) -> str:
        return self.service.settings.base

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Have those at hand, meanwhile, who write and read for it."""
        async with self.writing:
            yield
        await asyncio.to_thread(self.desk.clear)

    async def write(self, edit: Edit, token: Token, message: str) -> Written:
        """Publish a write: see `Writing.write`."""
        written = await self.writing.write(edit, token, message)
        self.written += written.commit is not None
        return written

    async def read(self, graph: str | None, media_type: str) -> tuple[bytes, str | None]:
        """Return a graph and its digest: see `updates.read`."""
        async with self.turn:
            return await asyncio.to_thread(updates.read, self.desk, graph, media_type)

    async def catch_up(self) -> None:
        """Let queries see all that was written here; visitors see it by their own watch.

        So a run of writes opens one snapshot, at the next query, and not one for each.
        """
        written = self.written
        if self.served < written:
            await self.service.refresh()
            self.served = max(self.served, written)
