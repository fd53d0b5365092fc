"""Lanes: how many queries of a sort are at work at once, and how many may wait.

Every engine has one for pages and one for visitors, so that the queries of the
second can never delay those of the first.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from thc_graph.errors import QueryError, QueryFailed, QueryTimeout, QueueFull

Worker = TypeVar("Worker")


@dataclass(frozen=True)
class Room:
    """The size of a lane: queries at work at once, and queries that may wait."""

    workers: int
    waiting: int


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


class LaneRoom(Generic[Worker]):
    """The idle workers of a lane, the queue before them, and the counts."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.idle: asyncio.Queue[Worker] = asyncio.Queue()
        self.busy = self.waiting = 0
        self.answered = self.failed = self.crashed = 0
        self.stopped = self.left = self.refused = 0

    async def take(self, end: float) -> Worker:
        """Return an idle worker, by the loop's time `end` at most, or raise QueueFull."""
        if self.idle.empty() and self.waiting >= self.room.waiting:
            raise self._refusal()
        self.waiting += 1
        try:
            async with asyncio.timeout_at(end):
                return await self.idle.get()
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self.waiting -= 1

    def _refusal(self) -> QueueFull:
        self.refused += 1
        return QueueFull(1 + self.waiting // self.room.workers)

    def drain(self) -> list[Worker]:
        """Return all idle workers and keep none."""
        return [self.idle.get_nowait() for _ in range(self.idle.qsize())]

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count one query at work, and how it ends."""
        self.busy += 1
        ending: BaseException | None = None
        try:
            yield
        except BaseException as error:
            ending = error
            raise
        finally:
            self.busy -= 1
            self.count(ending)

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
            idle=self.idle.qsize(),
            busy=self.busy,
            waiting=self.waiting,
            answered=self.answered,
            failed=self.failed,
            crashed=self.crashed,
            stopped=self.stopped,
            left=self.left,
            refused=self.refused,
        )
