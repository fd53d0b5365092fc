"""Backed: an engine elsewhere, and behind it the snapshot that stands here anyway.

Pages are answered by the snapshot while the engine is down, or does not hold the
commit; visitors' queries are the engine's alone, and its faults are told.
"""

import asyncio

from thc_graph.errors import RemoteTimeout, RemoteUnreachable, RemoteWrong
from thc_graph.store.engine import Answer, Lane, Query
from thc_graph.store.lanes import HOUSE, Client
from thc_graph.store.pool import Pool
from thc_graph.store.remote import Remote, RemoteState


class Backed:
    """An Engine; the processes of `local` are started when they are first needed."""

    def __init__(self, remote: Remote, local: Pool) -> None:
        self.remote, self.local = remote, local
        self.is_behind = False  # said by whoever asks the engine which commit it holds
        self._started = False
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
        if not self.is_behind:
            try:
                return await self.remote.answer(query, lane, client)
            except (RemoteUnreachable, RemoteTimeout, RemoteWrong):
                pass  # it was logged
        return await self._here(query, client)

    async def _here(self, query: Query, client: Client) -> Answer:
        async with self._starting:
            if not self._started:
                await self.local.start()
                self._started = True
        return await self.local.answer(query, "pages", client)
