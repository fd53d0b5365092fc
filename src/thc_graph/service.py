"""The service: what was read and opened once, and the snapshot everyone reads.

A publication swaps `Service.published` as one value: a request that began on the
former snapshot ends on it, and its processes stop after the last of those requests.
"""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, cast

from pyoxigraph import (
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
)

from thc_graph.errors import QueryError, QueryFailed, QueryNotAcceptable, QuerySyntaxError
from thc_graph.rdf.terms import PREFIXES, Term
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema
from thc_graph.search.index import Index, nothing, open_index
from thc_graph.settings import Resources, Settings, resources
from thc_graph.store import mirror, purging, snapshots
from thc_graph.store.engine import Answer, Engine, Query
from thc_graph.store.history import History
from thc_graph.store.mirror import Held
from thc_graph.store.pool import Pool
from thc_graph.store.purging import Tombstone
from thc_graph.store.queries import Filling, Library
from thc_graph.store.remote import Remote, credentials
from thc_graph.store.snapshots import Snapshot

Made = TypeVar("Made")
Kept = TypeVar("Kept", bound=Sized)

TSV = "text/tab-separated-values"  # the smallest to carry and the quickest to parse
N_TRIPLES = "application/n-triples"
SMALL = 64 << 10  # bytes of an answer; a thread costs more than to read it
KEPT = 64 << 20  # bytes of representations kept for a snapshot
ASIDE = 2  # questions to the index at once; each takes a tenth of a second at worst
LAG = 60.0  # seconds in which a commit's snapshot is built, published and opened


@dataclass
class Making:
    """Work that several wait for."""

    task: asyncio.Task[Any]
    waiting: int = 0


@dataclass
class Published:
    """One snapshot and the processes over it; a `Reader` of stored queries."""

    snapshot: Snapshot
    pool: Engine
    schema: Schema
    library: Library
    seconds: float
    index: Index
    made: dict[Hashable, Any] = field(default_factory=dict)
    pages: OrderedDict[Hashable, Sized] = field(default_factory=OrderedDict)
    making: dict[Hashable, Making] = field(default_factory=dict)
    size: int = 0  # of the pages kept, in bytes
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ASIDE))
    readers: int = 0
    hits: int = 0
    misses: int = 0

    @property
    def commit(self) -> str:
        return self.snapshot.commit

    def __post_init__(self) -> None:
        _ = self.time  # while its folder surely stands: later publications tidy it away

    @cached_property
    def time(self) -> datetime:
        """When this snapshot was published, to the second."""
        return datetime.fromtimestamp(int(self.snapshot.path.stat().st_mtime), UTC)

    @property
    def age(self) -> timedelta:
        return datetime.now(UTC) - self.time

    async def bindings(self, name: str, **terms: Filling) -> list[dict[str, Term]]:
        """Return the solutions of a stored SELECT; an unbound variable is absent."""
        content = await self._content(name, TSV, terms)
        if len(content) < SMALL:
            return _solutions(content)
        return await asyncio.to_thread(_solutions, content)

    async def graph(self, name: str, **terms: Filling) -> list[Triple]:
        """Return the triples of a stored CONSTRUCT."""
        content = await self._content(name, N_TRIPLES, terms)
        return [quad.triple for quad in parse(content, format=RdfFormat.N_TRIPLES)]

    async def _content(self, name: str, media_type: str, terms: dict[str, Filling]) -> bytes:
        text = self.library.fill(name, **terms)
        query = Query(text, (media_type,), self.seconds)
        try:
            answer = await self.pool.answer(query, lane="pages")
        except (QuerySyntaxError, QueryNotAcceptable) as fault:
            raise RuntimeError(f"The stored query {name} is at fault.") from fault
        content = await answer.read()
        if answer.truncated:
            raise QueryFailed(f"the answer to {name} is larger than the limit")
        return content

    async def aside(self, work: Callable[[], Made]) -> Made:
        """Return what `work` gives, made in a thread; the rest wait for one to be free."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return what `make` gives, made once for this snapshot; a failure is not kept."""
        if key not in self.made:
            self.made[key] = await self._together(("once", key), make)
        found: Made = self.made[key]
        return found

    def kept(self, key: Hashable) -> Sized | None:
        """Return a representation that is among the last asked for."""
        if key not in self.pages:
            return None
        self.pages.move_to_end(key)
        self.hits += 1
        return self.pages[key]

    async def page(self, key: Hashable, make: Callable[[], Awaitable[Kept | None]]) -> Kept | None:
        """Return a representation, made anew only if it is not among the last asked for."""
        if key in self.pages:
            return cast("Kept", self.kept(key))
        self.misses += 1
        found = await self._together(("page", key), make)
        if found is not None and key not in self.pages:
            self._keep(key, found)
        return found

    async def _together(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return what `make` gives, made once for all who wait for it at the same time.

        One who stops waiting disturbs no other; when the last one leaves, the work is stopped.
        """
        making = self.making.get(key)
        if making is None:
            making = self.making[key] = Making(asyncio.ensure_future(_run(make)))
        making.waiting += 1
        try:
            found: Made = await asyncio.shield(making.task)
        finally:
            making.waiting -= 1
            if not making.waiting and self.making.get(key) is making:
                del self.making[key]
                making.task.cancel()
        return found

    def _keep(self, key: Hashable, found: Sized) -> None:
        self.pages[key] = found
        self.size += len(found)
        while self.size > KEPT:
            _, oldest = self.pages.popitem(last=False)
            self.size -= len(oldest)


async def _run(make: Callable[[], Awaitable[Made]]) -> Made:
    return await make()


@dataclass
class Service:
    """Built once and handed over: `start` before the first request, `stop` after the last."""

    settings: Settings
    schema: Schema
    library: Library
    draining: bool = False  # still answering, but new visitors should go elsewhere
    remote_behind: bool = False  # the remote engine does not hold the published commit, whole
    _published: Published | None = None
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
            await former.pool.stop()
        await asyncio.gather(*self._retiring)

    @property
    def published(self) -> Published:
        if self._published is None:
            raise RuntimeError("The service is not started.")
        return self._published

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

    async def refresh(self) -> bool:
        """Serve the newest snapshot; tell whether it is another one than before."""
        async with self._refreshing:
            former = self._published
            snapshot = await self._newest(former)
            if former is not None and former.commit == snapshot.commit:
                return False
            self._published = await self._open(snapshot)
            if former is not None:
                await self._retire(former)
            return True

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
        name = mirror.mark(self.settings.base).value
        text = self.library.get("remote/held").text
        try:
            if former is None:
                await engine.start()
            asked = Query(text, (mirror.JSON,), self.settings.seconds, default_graphs=(name,))
            answer = await engine.answer(asked, lane="pages")
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
        return Published(snapshot, engine, self.schema, self.library, self.settings.seconds, index)

    def _index(self, snapshot: Snapshot) -> Index:
        return open_index(snapshot, self.schema) if self.settings.is_ruled else nothing(self.schema)

    def _engine(self, snapshot: Snapshot) -> Engine:
        settings = self.settings
        if settings.remote:
            return Remote(
                settings.remote,
                settings.workers,
                auth=credentials(os.environ, "THC_REMOTE"),
                dataset=mirror.dataset(settings.base, snapshot.store()),
                max_bytes=settings.result_size,
                prefixes=PREFIXES,
            )
        return Pool(
            snapshot.quads,
            settings.workers,
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
            stopping = asyncio.ensure_future(published.pool.stop())
            self._retiring.add(stopping)
            stopping.add_done_callback(self._retiring.discard)
            await asyncio.shield(stopping)

    async def bindings(self, name: str, **terms: Filling) -> list[dict[str, Term]]:
        return await self.published.bindings(name, **terms)

    async def graph(self, name: str, **terms: Filling) -> list[Triple]:
        return await self.published.graph(name, **terms)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        return await self.published.once(key, make)

    def tombstone(self, iri: str) -> Tombstone | None:
        """Return what is left of an entity that was erased."""
        return purging.tombstone(self.settings.store, iri)

    async def answer(self, query: Query) -> Answer:
        """Answer a visitor's query, in the visitors' lane."""
        return await self.published.pool.answer(query, lane="public")


def _solutions(content: bytes) -> list[dict[str, Term]]:
    found = cast("QuerySolutions", parse_query_results(content, format=QueryResultsFormat.TSV))
    names = [each.value for each in found.variables]
    return [
        {name: term for name, term in zip(names, row, strict=True) if term is not None}
        for row in found
    ]


def open_service(settings: Settings, files: Resources | None = None) -> Service:
    """Return a service over a store, with the product's own ontology, shapes and queries."""
    found = files or resources()
    schema = read_schema(found.ontology_folder, found.shapes_folder)
    return Service(settings, schema, Library(found.queries_folder))
