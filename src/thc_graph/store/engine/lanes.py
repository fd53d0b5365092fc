"""Lanes: how many queries of a sort are at work at once, and how many may wait.

Every engine has one for pages and one for visitors, so that the queries of the
second can never delay those of the first. Within a lane the places are shared: no
client fills the last one, nor more than half of the queue, while others may come.
Other work that strangers begin, in this process, has places of the same kind.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from thc_graph.errors import QueryError, QueryFailed, QueryTimeout, QueueFull

Worker = TypeVar("Worker")


@dataclass(frozen=True)
class Room:
    """The size of a lane: queries at work at once, and queries that may wait.

    `niceness` is how far its processes stand back for others: nice(2). `share` is how
    many one client may have at work, by default all but one.
    """

    workers: int
    waiting: int
    niceness: int = 0
    share: int = 0


@dataclass(frozen=True)
class Client:
    """Who asks; `spend` is told the seconds of each evaluation, however it ends.

    One without a name is ourselves, and has no share to keep to.
    """

    name: str = ""
    spend: Callable[[float], None] = lambda _: None


HOUSE: Final = Client()
_asking: ContextVar[Callable[[], str]] = ContextVar("asking", default=str)  # ourselves


def asking() -> Client:
    """Return whose request is being answered: the work it begins is on its account."""
    return Client(_asking.get()())


@contextmanager
def asked_by(name: Callable[[], str]) -> Iterator[None]:
    """Let what is begun meanwhile, in other tasks as well, be asked by the client of a name."""
    token = _asking.set(name)
    try:
        yield
    finally:
        _asking.reset(token)


@dataclass(frozen=True)
class LaneState:
    """A lane now (idle, busy, waiting) and since the start (the rest, queries each).

    `failed` counts refusals of the child itself (syntax, media type, evaluation),
    `crashed` children that died under a query, `left` clients that hung up.
    """

    workers: int
    idle: int
    busy: int
    waiting: int
    answered: int
    failed: int
    crashed: int
    stopped: int
    left: int
    refused: int


@dataclass(eq=False)
class _Turn:
    """One that waits for a place."""

    client: str
    granted: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Places:
    """Places to work at, and the queue before them.

    A free place goes to who holds the fewest, then to who was served longest ago.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.refused = 0
        self._share = room.share or max(1, room.workers - 1)
        self._queue_share = max(1, room.waiting // 2)
        self._holders: Counter[str] = Counter()
        self._turns: deque[_Turn] = deque()
        self._granted = 0
        self._served: dict[str, int] = {}  # of those who hold or wait: their last turn

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._turns)

    @asynccontextmanager
    async def place(self, end: float, client: str) -> AsyncIterator[None]:
        """Hold a place, had by the loop's time `end` at most; else QueueFull."""
        await self.enter(end, client)
        try:
            yield
        finally:
            self.leave(client)

    async def enter(self, end: float, client: str) -> None:
        """Take a place, to be left once, as `place` does."""
        if self._may_enter(client):  # nobody waits who could have it
            self._hold(client)
            return
        if not self._may_wait(client):
            raise self._refusal()
        turn = _Turn(client)
        self._turns.append(turn)
        try:
            async with asyncio.timeout_at(end):
                await turn.granted
        except BaseException as fault:
            self._give_up(turn)
            if isinstance(fault, TimeoutError):
                raise self._refusal() from None
            raise

    def leave(self, client: str) -> None:
        self._holders[client] -= 1
        if not self._holders[client]:
            del self._holders[client]
            self._forget(client)
        self._grant()

    def _give_up(self, turn: _Turn) -> None:
        if turn in self._turns:
            self._turns.remove(turn)
            self._forget(turn.client)
        else:  # granted in the moment it was called off
            self.leave(turn.client)

    def _forget(self, client: str) -> None:
        if client not in self._holders and all(each.client != client for each in self._turns):
            self._served.pop(client, None)

    def _hold(self, client: str) -> None:
        self._granted += 1
        self._holders[client] += 1
        self._served[client] = self._granted

    def _grant(self) -> None:
        while fit := [turn for turn in self._turns if self._is_fit(turn)]:
            turn = min(fit, key=self._rank)
            self._turns.remove(turn)
            self._hold(turn.client)
            turn.granted.set_result(None)

    def _is_fit(self, turn: _Turn) -> bool:
        return self._may_enter(turn.client) and not turn.granted.done()  # not called off

    def _rank(self, turn: _Turn) -> tuple[int, int]:
        return self._holders[turn.client], self._served.get(turn.client, 0)

    def _may_enter(self, client: str) -> bool:
        if self._holders.total() >= self.room.workers:
            return False
        return not client or self._holders[client] < self._share

    def _may_wait(self, client: str) -> bool:
        own = sum(each.client == client for each in self._turns)
        if client and own >= self._queue_share:
            return False
        return len(self._turns) < self.room.waiting

    def _refusal(self) -> QueueFull:
        self.refused += 1
        return QueueFull(1 + self.waiting // max(1, self.room.workers))


class LaneRoom(Places, Generic[Worker]):
    """The places of a lane and the queue before them, its idle workers, and the counts."""

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self.idle = asyncio.LifoQueue[Worker]()  # the last at work first: it is the warmest
        self.busy = 0
        self.aside = 0  # alive, and neither idle nor asked anything: for a moment
        self.answered = self.failed = self.crashed = 0
        self.stopped = self.left = 0

    @property
    def waiting(self) -> int:
        """How many wait, for a place or for a worker that is being replaced."""
        return len(self._turns) + self._holders.total() - self.busy

    async def take(self, end: float) -> Worker:
        """Return an idle worker, by the loop's time `end` at most, or raise QueueFull."""
        try:
            async with asyncio.timeout_at(end):
                return await self.idle.get()
        except TimeoutError:
            raise self._refusal() from None

    def drain(self) -> list[Worker]:
        """Return all idle workers and keep none."""
        return [self.idle.get_nowait() for _ in range(self.idle.qsize())]

    def pick(self, wanted: Callable[[Worker], bool]) -> Worker | None:
        """Return an idle worker that is as wanted, if there is one, and keep the others."""
        idle = self.drain()
        found = next(filter(wanted, idle), None)
        for each in reversed(idle):
            if each is not found:
                self.idle.put_nowait(each)
        return found

    @contextmanager
    def counting(self, client: Client) -> Iterator[None]:
        """Count one query at work, how it ends, and what it takes of its client's time."""
        self.busy += 1
        start = time.monotonic()
        ending: BaseException | None = None
        try:
            yield
        except BaseException as error:
            ending = error
            raise
        finally:
            self.busy -= 1
            self.count(ending)
            client.spend(time.monotonic() - start)

    def count(self, error: BaseException | None) -> None:
        """Count how a query ended."""
        match error:
            case None:
                self.answered += 1
            case QueryTimeout():
                self.stopped += 1
            case QueryFailed(reason="memory" | "crash"):
                self.crashed += 1
            case QueryError():
                self.failed += 1
            case _:
                self.left += 1

    def state(self) -> LaneState:
        return LaneState(
            workers=self.room.workers,
            idle=self.idle.qsize() + self.aside,
            busy=self.busy,
            waiting=self.waiting,
            answered=self.answered,
            failed=self.failed,
            crashed=self.crashed,
            stopped=self.stopped,
            left=self.left,
            refused=self.refused,
        )
