"""The pool: SPARQL in child processes that can be killed, over a read-only snapshot.

The engine can neither stop a query nor survive every one, so each runs in a
child of its own: at the time limit, when the client hangs up or when the child
dies, another takes its place in about 30 ms and nobody else notices. Two lanes,
each with its own children and queue, keep visitors' queries from delaying pages.
"""

import asyncio
import json
import logging
import os
import signal
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pyoxigraph

from thc_graph.errors import (
    QueryError,
    QueryFailed,
    QueryNotAcceptable,
    QueryOutOfMemory,
    QuerySyntaxError,
    QueryTimeout,
    StoreError,
)
from thc_graph.store.engine import Answer, Lane, Query, chunks
from thc_graph.store.lanes import LaneRoom, LaneState, Room

MEBIBYTE: Final = 1024 * 1024
MEMORY: Final = 1024 * MEBIBYTE
MAX_BYTES: Final = 10 * MEBIBYTE
START_SECONDS: Final = 10.0

_WORKER: Final = Path(__file__).with_name("worker.py")
_LIBRARY: Final = Path(pyoxigraph.__file__).parent.parent
_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0


@dataclass(frozen=True)
class PoolState:
    """What /readyz and /metrics tell of the pool."""

    snapshot: Path
    network_cut: bool
    lanes: Mapping[str, LaneState]

    @property
    def ready(self) -> bool:
        """Whether every lane has at least one living child."""
        return all(lane.idle + lane.busy > 0 for lane in self.lanes.values())


class _Channel(asyncio.SubprocessProtocol):
    """The bytes a child has written, and its end."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed = False
        self.arrival = asyncio.Event()
        self.gone = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        del fd
        self.received += data
        self.arrival.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        del fd, exc
        self.closed = True
        self.arrival.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the child is reaped and its pipes are closed."""
        del exc
        self.closed = True
        self.arrival.set()
        self.gone.set()

    async def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; EOFError when the child ends before."""
        while len(self.received) < size:
            if self.closed:
                raise EOFError
            self.arrival.clear()
            await self.arrival.wait()
        wanted = bytes(self.received[:size])
        del self.received[:size]
        return wanted

    async def read_header(self) -> dict[str, Any]:
        size = struct.unpack(">I", await self.read(4))[0]
        header: dict[str, Any] = json.loads(await self.read(size))
        return header


class _Child:
    """One worker process; `sound` while it stands between two exchanges."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, channel: _Channel, generation: int
    ) -> None:
        self.transport = transport
        self.channel = channel
        self.generation = generation
        self.network_cut = False
        self.sound = False

    @property
    def alive(self) -> bool:
        return self.sound and not self.channel.closed

    async def greet(self) -> None:
        """Wait for the ready frame; StoreError when the snapshot cannot be opened."""
        try:
            async with asyncio.timeout(START_SECONDS):
                header = await self.channel.read_header()
        except (EOFError, TimeoutError):
            raise StoreError("A query process did not start.") from None
        if header["kind"] != "ready":
            raise StoreError(f"The snapshot cannot be opened: {header['message']}")
        self.network_cut = header["network_cut"]
        self.sound = True

    async def ask(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        """Return header and body; EOFError when the child dies. Once interrupted, it is unsound."""
        self.sound = False
        cast("asyncio.WriteTransport", self.transport.get_pipe_transport(0)).write(request)
        header = await self.channel.read_header()
        body = await self.channel.read(header.get("length", 0))
        self.sound = True
        return header, body

    def kill(self) -> None:
        self.sound = False
        with suppress(ProcessLookupError):
            self.transport.kill()

    async def reap(self) -> None:
        """Kill the child and return once it is gone and its pipes are closed."""
        self.kill()
        await self.channel.gone.wait()
        self.transport.close()


class Pool:
    """An Engine over one snapshot; `start` before the first query, `stop` at the end.

    One event loop holds it: children die with the thread that started them.
    `workers` children serve each lane unless `lanes` says otherwise; `memory`
    (bytes) is each child's, 256 MiB of stack included; `max_bytes` (64 KiB at
    least) is where an answer is cut; `prefixes` shorten IRIs in graphs.
    """

    def __init__(
        self,
        snapshot: Path,
        workers: int = 2,
        *,
        lanes: Mapping[Lane, Room] | None = None,
        memory: int = MEMORY,
        max_bytes: int = MAX_BYTES,
        prefixes: Mapping[str, str] | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.memory = memory
        self.max_bytes = max_bytes
        self.prefixes = dict(prefixes or {})
        rooms = {"pages": Room(workers, 256), "public": Room(workers, 16)} | dict(lanes or {})
        self._lanes = {str(lane): LaneRoom[_Child](room) for lane, room in rooms.items()}
        self._children: set[_Child] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = 0
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Start every child; StoreError when the snapshot cannot be opened."""
        await self.swap(self.snapshot)

    async def swap(self, path: Path) -> None:
        """Answer from the snapshot at `path` from now on.

        Queries in flight end on the snapshot they began with. When the new one
        cannot be opened, StoreError is raised and the old one stays.
        """
        async with self._changing:
            generation = self._generation + 1
            fresh = await self._start_all(path, generation)
            self.snapshot, self._generation = path, generation
            for lane, children in fresh.items():
                for old in self._lanes[lane].drain():
                    self._dismiss(old)
                for child in children:
                    self._lanes[lane].idle.put_nowait(child)

    async def stop(self) -> None:
        """Kill every child and return once all are reaped; let answers in flight end before."""
        async with self._changing:
            self._generation += 1
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for room in self._lanes.values():
                room.drain()
            await asyncio.gather(*(self._reap(child) for child in tuple(self._children)))

    def state(self) -> PoolState:
        """Return the counts as they are at this moment."""
        return PoolState(
            self.snapshot,
            bool(self._children) and all(child.network_cut for child in self._children),
            {lane: room.state() for lane, room in self._lanes.items()},
        )

    async def answer(self, query: Query, lane: Lane = "public") -> Answer:
        """Answer one query, or stop it; the answer is whole in memory when this returns.

        Cancelling the call kills the query. For what is raised see Engine.answer.
        """
        room = self._lanes[lane]
        end = asyncio.get_running_loop().time() + query.seconds
        child = await self._take(room, end)
        try:
            with room.counting():
                return await self._run(child, query, end)
        finally:
            self._give_back(room, child)

    async def _take(self, room: LaneRoom[_Child], end: float) -> _Child:
        while not (child := await room.take(end)).alive:
            self._give_back(room, child)
        return child

    async def _run(self, child: _Child, query: Query, end: float) -> Answer:
        try:
            async with asyncio.timeout_at(end):
                header, body = await child.ask(self._request(query))
        except TimeoutError:
            raise QueryTimeout(query.seconds) from None
        except EOFError:
            raise await self._death(child) from None
        if header["kind"] != "answer":
            raise _error(header, self.memory)
        return Answer(header["media_type"], chunks(body), header["truncated"])

    async def _death(self, child: _Child) -> QueryFailed:
        """Return what killed the child: an allocation refused aborts it, and nothing else does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await child.channel.gone.wait()
        aborted = child.transport.get_returncode() == -signal.SIGABRT
        return QueryOutOfMemory(self.memory) if aborted else QueryFailed("crash")

    def _request(self, query: Query) -> bytes:
        request = json.dumps(
            {
                "text": query.text,
                "media_types": query.media_types,
                "default_graphs": query.default_graphs,
                "named_graphs": query.named_graphs,
                "base": query.base,
                "prefixes": self.prefixes,
                "max_bytes": self.max_bytes,
            }
        ).encode()
        return struct.pack(">I", len(request)) + request

    def _give_back(self, room: LaneRoom[_Child], child: _Child) -> None:
        """Let the child serve again, or replace it if it was interrupted or has died."""
        if child.generation != self._generation:
            self._dismiss(child)
        elif child.alive:
            room.idle.put_nowait(child)
        else:
            self._dismiss(child)
            self._in_background(self._replace(room, child.generation))

    async def _replace(self, room: LaneRoom[_Child], generation: int) -> None:
        """Start one child in the lane; try again, ever more slowly, until it works."""
        pause = _FIRST_PAUSE
        while generation == self._generation:
            try:
                child = await self._start_one(self.snapshot, generation)
            except (StoreError, OSError) as error:
                _LOG.warning("A query process could not be replaced: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._give_back(room, child)
                return

    async def _start_all(self, path: Path, generation: int) -> dict[str, list[_Child]]:
        """Start the children of every lane, or none of them."""
        lanes = [lane for lane, room in self._lanes.items() for _ in range(room.room.workers)]
        starts = (self._start_one(path, generation) for _ in lanes)
        started = await asyncio.gather(*starts, return_exceptions=True)
        fresh: dict[str, list[_Child]] = {lane: [] for lane in self._lanes}
        for lane, child in zip(lanes, started, strict=True):
            if isinstance(child, _Child):
                fresh[lane].append(child)
        for fault in started:
            if isinstance(fault, BaseException):
                await asyncio.gather(*(self._reap(c) for group in fresh.values() for c in group))
                raise fault
        return fresh

    async def _start_one(self, path: Path, generation: int) -> _Child:
        transport, channel = await asyncio.get_running_loop().subprocess_exec(
            _Channel,
            *_command(path, self.memory),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
        child = _Child(transport, channel, generation)
        self._children.add(child)
        try:
            await child.greet()
        except BaseException:
            self._dismiss(child)
            raise
        return child

    def _dismiss(self, child: _Child) -> None:
        """Kill the child at once and reap it in the background."""
        child.kill()
        self._in_background(self._reap(child))

    async def _reap(self, child: _Child) -> None:
        await child.reap()
        self._children.discard(child)

    def _in_background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _command(snapshot: Path, memory: int) -> list[str]:
    options = {"snapshot": str(snapshot), "memory": memory, "parent": os.getpid()}
    return [sys.executable, "-I", "-S", str(_WORKER), str(_LIBRARY), json.dumps(options)]


def _environment() -> dict[str, str]:
    """Return a child's environment: nothing of ours but where to find Python's own library."""
    path = os.environ.get("LD_LIBRARY_PATH")
    return {"MALLOC_ARENA_MAX": "2"} | ({"LD_LIBRARY_PATH": path} if path else {})


def _error(header: Mapping[str, Any], memory: int) -> QueryError:
    match header["kind"]:
        case "memory":
            return QueryOutOfMemory(memory)
        case "syntax":
            return QuerySyntaxError(header["message"], header["line"], header["column"])
        case "not-acceptable":
            return QueryNotAcceptable(header["offered"])
        case _:  # the engine's words may name paths: they are for the log alone
            _LOG.warning("A query failed: %s", header["message"])
            return QueryFailed("a fault of the engine")
