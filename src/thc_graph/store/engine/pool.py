"""The pool: SPARQL in child processes that can be killed, over a read-only snapshot.

The engine can neither stop a query nor survive every one, so each runs in a
child of its own: at the time limit, when the client hangs up or when the child
dies, another takes its place in about 30 ms and nobody else notices. Two lanes,
each with its own children and queue, keep visitors' queries from delaying pages.
Children outlive publications: a new snapshot is opened in each, in some milliseconds.
"""

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from thc_graph.errors import (
    FunctionUnknown,
    QueryError,
    QueryFailed,
    QueryNotAcceptable,
    QueryOutOfMemory,
    QuerySyntaxError,
    QueryTimeout,
    StoreError,
)
from thc_graph.processes.parent import START_SECONDS, Child, frame, launch
from thc_graph.store.engine.engine import Answer, Lane, Query, chunks
from thc_graph.store.engine.lanes import HOUSE, Client, LaneRoom, LaneState, Room

MEBIBYTE: Final = 1024 * 1024
MEMORY: Final = 1024 * MEBIBYTE
MAX_BYTES: Final = 10 * MEBIBYTE
MUCH: Final = 8  # part of a child's memory; one that holds more is started anew
NICENESS: Final = 10  # visitors' queries give way to pages, and to the server itself

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
        rooms: dict[Lane, Room] = {
            "pages": Room(workers, 256),
            "public": Room(workers, 16, NICENESS),
        }
        rooms |= lanes or {}
        self._lanes = {str(lane): LaneRoom[Child](room) for lane, room in rooms.items()}
        self._children: set[Child] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = 0
        self._changing = asyncio.Lock()

    @property
    def graphs(self) -> None:
        """What graphs there are, the store says."""
        return

    async def start(self) -> None:
        """Start every child; StoreError when the snapshot cannot be opened."""
        async with self._changing:
            generation = self._generation + 1
            fresh = await self._start_all(self.snapshot, generation)
            self._generation = generation
            for lane, children in fresh.items():
                for child in children:
                    self._lanes[lane].idle.put_nowait(child)

    async def swap(self, path: Path) -> None:
        """Answer from the snapshot at `path` from now on.

        Queries in flight end on the snapshot they began with. When the new one
        cannot be opened, StoreError is raised and the old one stays. A child that is
        at work meanwhile opens it with the first query it gets.
        """
        if not self._generation:
            self.snapshot = path
            await self.start()
            return
        async with self._changing:
            for room in self._lanes.values():
                await self._open_in(room, path)
            self.snapshot = path

    def at(self, path: Path) -> "At":
        """Return an Engine over another snapshot, with the same children."""
        return At(self, path)

    async def _open_in(self, room: LaneRoom[Child], path: Path) -> None:
        """Let each idle child open a snapshot, one after the other; the others serve meanwhile.

        One that has come to hold much memory is replaced instead.
        """
        left = room.drain()
        for each in left:
            room.idle.put_nowait(each)
        while left:
            idle = room.drain()
            child = next((each for each in idle if each in left), None)
            for each in idle:
                if each is not child:
                    room.idle.put_nowait(each)
            if child is None:
                return
            left.remove(child)
            try:
                header, _ = await child.ask(frame({"snapshot": str(path)}))
                if header["kind"] != "ready":
                    raise _unopened(header)
                if header["resident"] > self.memory // MUCH:
                    child.kill()
            except EOFError:  # it died: another takes its place
                pass
            finally:
                self._give_back(room, child)

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

    async def answer(
        self,
        query: Query,
        lane: Lane = "public",
        client: Client = HOUSE,
        snapshot: Path | None = None,
    ) -> Answer:
        """Answer one query, or stop it; the answer is whole in memory when this returns.

        Cancelling the call kills the query. For what is raised see Engine.answer.
        """
        asked = snapshot or self.snapshot
        room = self._lanes[lane]
        end = asyncio.get_running_loop().time() + query.seconds
        async with room.place(end, client.name):
            child = await self._take(room, end)
            try:
                with room.counting(client):
                    return await self._run(child, query, end, asked)
            finally:
                self._give_back(room, child)

    async def _take(self, room: LaneRoom[Child], end: float) -> Child:
        while not (child := await room.take(end)).alive:
            self._give_back(room, child)
        return child

    async def _run(self, child: Child, query: Query, end: float, snapshot: Path) -> Answer:
        try:
            async with asyncio.timeout_at(end):
                header, body = await child.ask(self._request(query, snapshot))
        except TimeoutError:
            raise QueryTimeout(query.seconds) from None
        except EOFError:
            raise await self._death(child) from None
        if header["kind"] != "answer":
            raise _error(header, self.memory)
        return Answer(header["media_type"], chunks(body), header["truncated"])

    async def _death(self, child: Child) -> QueryFailed:
        """Return what killed the child: an allocation refused aborts it, and nothing else does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await child.end()
        aborted = child.process.returncode == -signal.SIGABRT
        return QueryOutOfMemory(self.memory) if aborted else QueryFailed("crash")

    def _request(self, query: Query, snapshot: Path) -> bytes:
        return frame(
            {
                "snapshot": str(snapshot),
                "text": query.text,
                "media_types": query.media_types,
                "default_graphs": query.default_graphs,
                "named_graphs": query.named_graphs,
                "base": query.base,
                "prefixes": self.prefixes,
                "max_bytes": self.max_bytes,
            }
        )

    def _give_back(self, room: LaneRoom[Child], child: Child) -> None:
        """Let the child serve again, or replace it if it was interrupted or has died."""
        if child.generation != self._generation:
            self._dismiss(child)
        elif child.alive:
            room.idle.put_nowait(child)
        else:
            self._dismiss(child)
            self._in_background(self._replace(room, child.generation))

    async def _replace(self, room: LaneRoom[Child], generation: int) -> None:
        """Start one child in the lane; try again, ever more slowly, until it works."""
        pause = _FIRST_PAUSE
        while generation == self._generation:
            try:
                child = await self._start_one(self.snapshot, room.room.niceness, generation)
            except (StoreError, OSError) as error:
                _LOG.warning("A query process could not be replaced: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._give_back(room, child)
                return

    async def _start_all(self, path: Path, generation: int) -> dict[str, list[Child]]:
        """Start the children of every lane, or none of them."""
        rooms = {lane: room.room for lane, room in self._lanes.items()}
        lanes = [lane for lane, room in rooms.items() for _ in range(room.workers)]
        starts = (self._start_one(path, rooms[lane].niceness, generation) for lane in lanes)
        started = await asyncio.gather(*starts, return_exceptions=True)
        fresh: dict[str, list[Child]] = {lane: [] for lane in self._lanes}
        for lane, child in zip(lanes, started, strict=True):
            if isinstance(child, Child):
                fresh[lane].append(child)
        for fault in started:
            if isinstance(fault, BaseException):
                await asyncio.gather(*(self._reap(c) for group in fresh.values() for c in group))
                raise fault
        return fresh

    async def _start_one(self, path: Path, niceness: int, generation: int) -> Child:
        child = await launch(path, self.memory, niceness, generation)
        self._children.add(child)
        try:
            await child.greet(_unopened)
        except BaseException:
            self._dismiss(child)
            raise
        return child

    def _dismiss(self, child: Child) -> None:
        """Kill the child at once and reap it in the background."""
        child.kill()
        self._in_background(self._reap(child))

    async def _reap(self, child: Child) -> None:
        await child.reap()
        self._children.discard(child)

    def _in_background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True)
class At:
    """An Engine over one snapshot of a pool's, which is started and stopped by itself."""

    pool: Pool
    snapshot: Path

    @property
    def graphs(self) -> None:
        return

    async def start(self) -> None:
        """Let the children open the snapshot; those that are not started are."""
        await self.pool.swap(self.snapshot)

    async def stop(self) -> None:
        """The children serve on."""

    def state(self) -> PoolState:
        return self.pool.state()

    async def answer(self, query: Query, lane: Lane = "public", client: Client = HOUSE) -> Answer:
        return await self.pool.answer(query, lane, client, self.snapshot)


def _unopened(header: Mapping[str, Any]) -> StoreError:
    return StoreError(f"The snapshot cannot be opened: {header['message']}")


def _error(header: Mapping[str, Any], memory: int) -> QueryError:
    match header["kind"]:
        case "memory":
            return QueryOutOfMemory(memory)
        case "syntax":
            return QuerySyntaxError(header["message"], header["line"], header["column"])
        case "not-acceptable":
            return QueryNotAcceptable(header["offered"])
        case "unknown-function":
            return FunctionUnknown(header["function"])
        case _:  # the engine's words may name paths: they are for the log alone
            _LOG.warning("A query failed: %s", header["message"])
            return QueryFailed("a fault of the engine")
