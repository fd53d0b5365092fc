"""Hang-ups: work ends when nobody listens to it any more."""

import asyncio
from types import TracebackType
from typing import Final

from starlette.types import Receive

from thc_graph.web.http.problems import GONE, Problem

QUICK: Final = 0.05  # seconds; what takes less is done before one could tell


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
        while (await self._receive())["type"] != "http.disconnect":
            pass
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
