"""The service: what was read and opened once, and the snapshot everyone reads.

A publication swaps `Service.published` as one value: a request that began on the
former snapshot ends on it. The processes that answer queries are the same before and
after: each opens the new snapshot beside the former one, and closes that one when its
last reader has left.
"""

import asyncio
import os
import pickle
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial

from pyoxigraph import (
    Triple,
)

from thc_graph.errors import (
    QueryError,
)
from thc_graph.instance.cache import Cache
from thc_graph.instance.exports import Exports
from thc_graph.instance.reading import Made, Published
from thc_graph.instance.settings import Resources, Settings, resources
from thc_graph.rdf.terms import PREFIXES, Term
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema
from thc_graph.search.index import Index, nothing, open_index
from thc_graph.store.engine.backed import Backed
from thc_graph.store.engine.engine import Answer, Engine, Lane, Query
from thc_graph.store.engine.lanes import Room
from thc_graph.store.engine.pool import Pool
from thc_graph.store.engine.remote import Remote, credentials
from thc_graph.store.history import purge
from thc_graph.store.history.commits import History
from thc_graph.store.history.purge import Tombstone
from thc_graph.store.library import Filling, Library
from thc_graph.store.snapshots import snapshot as snapshots
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes import mirror
from thc_graph.store.writes.mirror import Held

TEXTS = 8 << 20  # bytes of what was read of the last queries
WAITING = 256  # queries of pages that may wait
HELD = 2.0  # seconds for a remote engine to say which commit it holds
_coming: ContextVar[Published | None] = ContextVar("coming", default=None)  # in its preparation
LAG = 60.0  # seconds in which a commit's snapshot is built, published and opened


@dataclass
class Service:
    """Built once and handed over: `start` before the first request, `stop` after the last."""

    settings: Settings
    schema: Schema
    library: Library
    draining: bool = False  # still answering, but new visitors should go elsewhere
    remote_behind: bool = False  # the remote engine does not hold the published commit, whole
    texts: Cache = field(default_factory=lambda: Cache(TEXTS))  # what was read of queries
    _published: Published | None = None
    _pool: Pool | None = None  # its children outlive publications
    _refreshing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _retiring: set[asyncio.Future[None]] = field(default_factory=set)  # whoever waits may leave

    async def start(self) -> None:
        """Open the current snapshot.

        Raises:
            StoreMissing: Nothing was ever published in this store.
        """
        await self.refresh()

    async def stop(self) -> None:
        former, self._published = self._published, None
        if former is not None:
            await self._close(former)
        await asyncio.gather(*self._retiring)
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.stop()

    @property
    def published(self) -> Published:
        found = _coming.get() or self._published
        if found is None:
            raise RuntimeError("The service is not started.")
        return found

    @property
    def caches(self) -> tuple[Cache, ...]:
        """Return all that is kept under what strangers write."""
        return self.texts, *(self._published.caches if self._published else ())

    @property
    def is_ready(self) -> bool:
        return self._published is not None

    @property
    def history(self) -> History:
        return History(self.settings.store / "history")

    def unready(self) -> list[str]:
        """Return what keeps visitors from being served, by name; nothing when all is well."""
        found = ["draining"] if self.draining else []
        if self._published is None:
            return [*found, "snapshot"]
        lanes = self._published.pool.state().lanes.items()
        found += [lane for lane, state in lanes if not state.idle + state.busy]
        found += ["remote"] if self.remote_behind else []
        return [*found, "history"] if self._is_behind(self._published) else found

    def _is_behind(self, published: Published) -> bool:
        """Tell whether a commit has waited too long to be served; a replica may hold none."""
        since = self.history.since
        behind = since is not None and self.history.head != published.commit
        return behind and time.time() - (since or 0) > LAG

    async def refresh(self, prepare: Callable[[], Awaitable[None]] | None = None) -> bool:
        """Serve the newest snapshot; tell whether it is another one than before.

        What `prepare` asks meanwhile is answered from it, while others still read the former.
        """
        async with self._refreshing:
            former = self._published
            snapshot = await self._newest(former)
            if former is not None and former.commit == snapshot.commit:
                former.doubt(is_behind=self.remote_behind)
                return False
            coming = await self._open(snapshot)
            coming.doubt(is_behind=self.remote_behind)
            if prepare is not None and not coming.is_behind:
                await self._prepare(coming, prepare)
            self._published = coming
            if former is not None:
                await self._retire(former)
            return True

    async def _prepare(self, coming: Published, prepare: Callable[[], Awaitable[None]]) -> None:
        coming.readers += 1  # it is not to be closed when one of its readers leaves
        token = _coming.set(coming)
        try:
            await prepare()
        except BaseException:
            await self._close(coming)
            raise
        finally:
            _coming.reset(token)
            coming.readers -= 1

    async def _newest(self, former: Published | None) -> Snapshot:
        """Return what is to be served: the published commit, or the one a remote engine holds.

        While a remote engine is out of reach, what was served before stays.
        """
        snapshot = snapshots.current(self.settings.store)
        if not self.settings.remote:
            return snapshot
        held = await self._held(former, snapshot)
        self.remote_behind = held != Held(snapshot.commit)
        served = former.commit if former is not None else snapshot.commit
        return Snapshot((held and held.commit) or served, snapshot.path)

    async def _held(self, former: Published | None, snapshot: Snapshot) -> Held | None:
        """Ask the remote engine what it holds; None while it gives no answer."""
        engine = former.pool if former is not None else self._engine(snapshot)
        assert isinstance(engine, Backed)  # one is set
        name = mirror.mark(self.settings.base).value
        text = self.library.get("remote/held").text
        try:
            if former is None:
                await engine.start()
            seconds = min(HELD, self.settings.seconds)
            asked = Query(text, (mirror.JSON,), seconds, default_graphs=(name,))
            answer = await engine.remote.answer(asked, lane="pages")
            return mirror.held(await answer.read())
        except QueryError:
            return None
        finally:
            if former is None:
                await engine.stop()

    async def _open(self, snapshot: Snapshot) -> Published:
        index = await asyncio.to_thread(self._index, snapshot)
        engine = self._engine(snapshot)
        await engine.start()
        seconds, exports = self.settings.seconds, self._exports(snapshot)
        return Published(
            snapshot, engine, self.schema, self.library, seconds, index, exports=exports
        )

    def _exports(self, snapshot: Snapshot) -> Exports:
        held = (self.settings, self.schema, self.library, Snapshot(snapshot.commit, snapshot.path))
        root, size = self.settings.store, self.settings.exports_size
        return Exports(root, size, self.settings.exports_memory, partial(pickle.dumps, held))

    def _index(self, snapshot: Snapshot) -> Index:
        return open_index(snapshot, self.schema) if self.settings.is_ruled else nothing(self.schema)

    def _engine(self, snapshot: Snapshot) -> Engine:
        settings = self.settings
        if self._pool is None:
            self._pool = self._children(snapshot)
        local = self._pool.at(snapshot.quads)
        if not settings.remote:
            return local
        remote = Remote(
            settings.remote,
            settings.workers,
            lanes=self._lanes(),
            auth=credentials(os.environ, "THC_REMOTE"),
            dataset=mirror.dataset(settings.base, snapshot.store()),
            max_bytes=settings.result_size,
            prefixes=PREFIXES,
        )
        return Backed(remote, local)

    def _lanes(self) -> dict[Lane, Room]:
        # As many as a client may hold at once, and one for others.
        return {"pages": Room(self.settings.workers + 1, WAITING)}

    def _children(self, snapshot: Snapshot) -> Pool:
        settings = self.settings
        return Pool(
            snapshot.quads,
            settings.workers,
            lanes=self._lanes() | ({"public": Room(0, 0)} if settings.remote else {}),
            memory=settings.memory,
            max_bytes=settings.result_size,
            prefixes=PREFIXES,
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Published]:
        """Give the published snapshot and keep its processes alive meanwhile."""
        published = self.published
        published.readers += 1
        try:
            yield published
        finally:
            published.readers -= 1
            await self._retire(published)

    async def _retire(self, published: Published) -> None:
        if published is not self._published and not published.readers:
            published.threads.shutdown(wait=False)
            stopping = asyncio.ensure_future(self._close(published))
            self._retiring.add(stopping)
            stopping.add_done_callback(self._retiring.discard)
            await asyncio.shield(stopping)

    async def _close(self, published: Published) -> None:
        await published.pool.stop()
        if published.exports is not None:
            await published.exports.stop()

    async def bindings(self, name: str, **terms: Filling) -> list[dict[str, Term]]:
        return await self.published.bindings(name, **terms)

    async def graph(self, name: str, **terms: Filling) -> list[Triple]:
        return await self.published.graph(name, **terms)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        return await self.published.once(key, make)

    def tombstone(self, iri: str) -> Tombstone | None:
        """Return what is left of an entity that was erased."""
        return purge.tombstone(self.settings.store, iri)

    async def answer(self, query: Query) -> Answer:
        """Answer a visitor's query, in the visitors' lane."""
        return await self.published.pool.answer(query, lane="public")


def open_service(settings: Settings, files: Resources | None = None) -> Service:
    """Return a service over a store, with the product's own ontology, shapes and queries."""
    found = files or resources()
    schema = read_schema(found.ontology_folder, found.shapes_folder)
    return Service(settings, schema, Library(found.queries_folder))
