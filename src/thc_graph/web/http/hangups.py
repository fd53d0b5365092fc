"""Hang-ups: work ends when nobody listens to it any more."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, TypeVar

from starlette.types import Receive

from thc_graph.web.http.problems import GONE, Problem

QUICK: Final = 0.05  # seconds; what takes less is done before one could tell

Done = TypeVar("Done")


async def left(receive: Receive) -> None:
    """Return when the client has hung up; its body has been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Listening:
    """Stops the task that enters it when the client hangs up; its body has been read before.

    Raises:
        Problem: 499, which nobody reads, in place of what was stopped.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ear: asyncio.Task[None] | None = None
        self._left = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer = loop.call_later(QUICK, self._listen)

    def _listen(self) -> None:
        self._ear = asyncio.get_running_loop().create_task(self._hear())

    async def _hear(self) -> None:
        await left(self._receive)
        self._left = True
        if self._task is not None:
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del error, trace
        self._timer.cancel()
        if self._ear is not None:
            self._ear.cancel()
        if not self._left or self._task is None or self._task.uncancel():
            return  # it was not us, or not us alone, who stopped it
        if kind is asyncio.CancelledError:
            raise Problem(GONE, "Gone") from None


class Ear:
    """Stops one work after another when the client hangs up, or hung up between them."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left: asyncio.Task[None] | None = None

    async def during(self, work: Coroutine[Any, Any, Done]) -> Done:
        """Return what `work` gives.

        Raises:
            Problem: 499, where nobody listens any more.
        """
        self._left = self._left or asyncio.ensure_future(left(self._receive))
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait((doing, self._left), return_when=asyncio.FIRST_COMPLETED)
            if self._left.done():
                raise Problem(GONE, "Gone")
            return doing.result()
        finally:
            doing.cancel()

    def close(self) -> None:
        if self._left is not None:
            self._left.cancel()
