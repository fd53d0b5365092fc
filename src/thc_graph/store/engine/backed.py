"""Backed: an engine elsewhere, and behind it the snapshot that stands here anyway.

Pages are answered by the snapshot while the engine is down, or does not hold the
commit; visitors' queries are the engine's alone, and its faults are told. An engine that
failed a page is left alone for some seconds, then one question tells whether it is back:
one that hangs would keep every page waiting to its deadline.
"""

import asyncio
from typing import Final

from thc_graph.errors import QueryTimeout, QueueFull, RemoteUnreachable, RemoteWrong
from thc_graph.store.engine.engine import Answer, Engine, Lane, Query
from thc_graph.store.engine.lanes import HOUSE, Client
from thc_graph.store.engine.remote import Remote, RemoteState

PAUSE: Final = 5.0  # seconds in which an engine that failed is asked nothing for pages


class Backed:
    """An Engine; the processes of `local` are started when they are first needed."""

    def __init__(self, remote: Remote, local: Engine) -> None:
        self.remote, self.local = remote, local
        self.is_behind = False  # said by whoever asks the engine which commit it holds
        self._started = False
        self._again = 0.0  # by the loop's time, when the engine may be asked for pages
        self._starting = asyncio.Lock()

    @property
    def graphs(self) -> tuple[str, ...] | None:
        return self.remote.graphs

    async def start(self) -> None:
        await self.remote.start()

    async def stop(self) -> None:
        await self.remote.stop()
        await self.local.stop()

    def state(self) -> RemoteState:
        return self.remote.state()

    async def answer(self, query: Query, lane: Lane = "public", client: Client = HOUSE) -> Answer:
        """Answer one query: see Engine.answer; none of pages raises RemoteUnreachable."""
        if lane != "pages":
            return await self.remote.answer(query, lane, client)
        now = asyncio.get_running_loop().time
        if self.is_behind or now() < self._again:
            return await self._here(query, client)
        if self._again:  # it failed: the others wait for what this one learns
            self._again = now() + query.seconds
        try:
            answer = await self.remote.answer(query, lane, client)
        except (RemoteUnreachable, QueryTimeout, RemoteWrong):  # it was logged
            self._again = now() + PAUSE
            return await self._here(query, client)
        except QueueFull:  # others wait for it as well
            return await self._here(query, client)
        self._again = 0.0
        return answer

    async def _here(self, query: Query, client: Client) -> Answer:
        async with self._starting:
            if not self._started:
                await self.local.start()
                self._started = True
        return await self.local.answer(query, "pages", client)
