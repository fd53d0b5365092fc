"""The pool: SPARQL in child processes that can be killed, over a read-only snapshot.

The engine can neither stop a query nor survive every one, so each runs in a
child of its own: at the time limit, when the client hangs up or when the child
dies, another takes its place in about 30 ms and nobody else notices. Two lanes,
each with its own children and queue, keep visitors' queries from delaying pages.
Children outlive publications: they open the new snapshot between two queries.
"""

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
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
from thc_graph.store.engine.query_child import HELD

MEBIBYTE: Final = 1024 * 1024
MEMORY: Final = 1024 * MEBIBYTE
MAX_BYTES: Final = 10 * MEBIBYTE
MUCH: Final = 8  # part of its memory; a child that has come to hold more is replaced
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
    """An Engine over a snapshot, and over others by `at`; `start` first, `stop` at the end.

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
        self._held = Counter[Path]()  # the snapshots that are read, by how many; the newest last
        self._is_stopped = False
        self._changing = asyncio.Lock()

    @property
    def graphs(self) -> None:
        """What graphs there are, the store says."""
        return

    async def start(self) -> None:
        """Start every child; StoreError when the snapshot cannot be opened."""
        await self.hold(self.snapshot)

    def at(self, path: Path) -> "At":
        """Return an Engine over another snapshot; these children answer, and must be stopped."""
        return At(self, path)

    async def hold(self, path: Path) -> None:
        """Let every child open a snapshot, until `release`, and those started later as well.

        One at work opens it afterwards; visitors', which stand back, in their own time.

        Raises:
            StoreError: It cannot be opened; all is as it was.
        """
        async with self._changing:
            self._held[path] = self._held.pop(path, 0) + 1  # the newest is the last
            try:
                if self._children:
                    await self._try()
                    await self._settle("pages")
                else:
                    await self._start_all(path)
            except BaseException:
                self.release(path)
                raise
            self.snapshot = path
            self._in_background(self._settle("public"))

    def release(self, path: Path) -> None:
        """Let the children close a snapshot, when nobody else holds it."""
        self._held -= Counter([path])
        if not self._is_stopped:
            for lane in self._lanes:
                self._in_background(self._settle(lane))

    @property
    def _wanted(self) -> tuple[Path, ...]:
        return tuple(self._held)[-HELD:]

    async def stop(self) -> None:
        """Kill every child and return once all are reaped; let answers in flight end before."""
        async with self._changing:
            self._is_stopped = True
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
                "held": [str(each) for each in {*self._wanted, snapshot}],
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
        if self._is_stopped:
            self._dismiss(child)
        elif not child.alive:
            self._dismiss(child)
            self._in_background(self._replace(room))
        elif child.held != self._wanted:
            self._in_background(self._settle_one(room, child))
        else:
            room.idle.put_nowait(child)

    async def _try(self) -> None:
        """Let one child hold what is wanted, as soon as one has nothing else to do."""
        room = self._lanes["pages"]
        child = await self._take(room, asyncio.get_running_loop().time() + START_SECONDS)
        await self._settle_one(room, child)

    async def _settle(self, lane: str) -> None:
        """Let the idle children hold what is wanted, one by one: the others serve meanwhile."""
        room = self._lanes[lane]
        while child := room.pick(lambda child: child.held != self._wanted):
            await self._settle_one(room, child)

    async def _settle_one(self, room: LaneRoom[Child], child: Child) -> None:
        """Let a child open and close snapshots until it holds what is wanted, then serve.

        Raises:
            StoreError: It cannot open the newest.
        """
        child.held = self._wanted
        if not child.alive:
            self._give_back(room, child)
            return
        room.aside += 1
        try:
            async with asyncio.timeout(START_SECONDS):
                header, _ = await child.ask(frame({"held": [str(each) for each in child.held]}))
        except (EOFError, TimeoutError):
            raise StoreError("A process ended over a snapshot.") from None
        else:
            if header["resident"] > self.memory // MUCH:
                child.kill()
            for path, message in header["faults"].items():
                if path == str(child.held[-1]):
                    raise _unopened({"message": message})
        finally:
            room.aside -= 1
            self._give_back(room, child)

    async def _replace(self, room: LaneRoom[Child]) -> None:
        """Start one child in the lane; try again, ever more slowly, until it works."""
        pause = _FIRST_PAUSE
        while not self._is_stopped:
            try:
                child = await self._start_one(self.snapshot, room.room.niceness)
            except (StoreError, OSError) as error:
                _LOG.warning("A query process could not be replaced: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._give_back(room, child)
                return

    async def _start_all(self, path: Path) -> None:
        """Start the children of every lane, or none of them."""
        rooms = [room for room in self._lanes.values() for _ in range(room.room.workers)]
        starts = (self._start_one(path, room.room.niceness) for room in rooms)
        started = await asyncio.gather(*starts, return_exceptions=True)
        children = [child for child in started if isinstance(child, Child)]
        for fault in started:
            if isinstance(fault, BaseException):
                await asyncio.gather(*map(self._reap, children))
                raise fault
        for room, child in zip(rooms, children, strict=True):
            self._give_back(room, child)

    async def _start_one(self, path: Path, niceness: int) -> Child:
        child = await launch(path, self.memory, niceness)
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
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            _LOG.warning("A query process could not be kept: %s", fault)


@dataclass
class At:
    """An Engine over one of the snapshots that a pool's children hold."""

    pool: Pool
    snapshot: Path
    _is_held: bool = False

    @property
    def graphs(self) -> None:
        return

    async def start(self) -> None:
        await self.pool.hold(self.snapshot)
        self._is_held = True

    async def stop(self) -> None:
        """Let go of the snapshot; the children serve on."""
        if self._is_held:
            self.pool.release(self.snapshot)
        self._is_held = False

    def state(self) -> PoolState:
        return replace(self.pool.state(), snapshot=self.snapshot)

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
