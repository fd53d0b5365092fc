"""The service: what was read and opened once, and the snapshot everyone reads.

A publication swaps `Service.published` as one value: a request that began on the
former snapshot ends on it. The processes that answer queries are the same before and
after: each opens the new snapshot beside the former one.
"""

import asyncio
import os
import pickle
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar, cast

from pyoxigraph import (
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
)

from thc_graph.errors import (
    QueryError,
    QueryFailed,
    QueryNotAcceptable,
    QuerySyntaxError,
    QueueFull,
)
from thc_graph.instance.cache import Cache, Together, digest
from thc_graph.instance.exports import Exports, File
from thc_graph.instance.settings import Resources, Settings, resources
from thc_graph.rdf.terms import PREFIXES, Term
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema
from thc_graph.search.index import Index, nothing, open_index
from thc_graph.store.engine.backed import Backed
from thc_graph.store.engine.engine import Answer, Engine, Lane, Query
from thc_graph.store.engine.lanes import Places, Room, asked_by, asking
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

Made = TypeVar("Made")

TSV = "text/tab-separated-values"  # the smallest to carry and the quickest to parse
N_TRIPLES = "application/n-triples"
SMALL = 64 << 10  # bytes of an answer; a thread costs more than to read it
KEPT = 32 << 20  # bytes of pages kept for a snapshot, of answers to queries, and of both packed
ASIDE = Room(2, 256)  # work in threads: a question to the index takes 0.1 s at worst
TEXTS = 8 << 20  # bytes of what was read of the last queries
PAGES = Room(8, 256, share=2)  # pages in the making
WAITING = 256  # queries of pages that may wait
HELD = 2.0  # seconds for a remote engine to say which commit it holds
LAG = 60.0  # seconds in which a commit's snapshot is built, published and opened


@dataclass
class Published:
    """One snapshot and the processes over it; a `Reader` of stored queries."""

    snapshot: Snapshot
    pool: Engine
    schema: Schema
    library: Library
    seconds: float
    index: Index
    is_behind: bool = False  # what answers does not hold the commit, whole: nothing is kept
    edition: str = ""  # what validators name: the commit, until what answered was in doubt
    made: dict[Hashable, Any] = field(default_factory=dict)
    pages: Cache = field(default_factory=lambda: Cache(KEPT))
    answers: Cache = field(default_factory=lambda: Cache(KEPT))
    packed: Cache = field(default_factory=lambda: Cache(KEPT))
    making: Together = field(default_factory=Together)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ASIDE.workers))
    exports: Exports | None = None
    beside: Places = field(default_factory=lambda: Places(ASIDE))
    entrance: Places = field(default_factory=lambda: Places(PAGES))
    readers: int = 0

    @property
    def commit(self) -> str:
        return self.snapshot.commit

    def __post_init__(self) -> None:
        _ = self.time  # while its folder surely stands: later publications tidy it away
        self.edition = self.commit

    @cached_property
    def time(self) -> datetime:
        """When this snapshot was published, to the second."""
        return datetime.fromtimestamp(int(self.snapshot.path.stat().st_mtime), UTC)

    def doubt(self, *, is_behind: bool) -> None:
        """Say whether what answers holds the commit, whole.

        What was made before one could tell is forgotten, and its validators with it.
        """
        if is_behind and not self.is_behind:
            self.edition = f"{self.commit}-{os.urandom(4).hex()}"
            self.made.clear()
            for cache in self.caches:
                cache.clear()
        self.is_behind = is_behind
        if isinstance(self.pool, Backed):
            self.pool.is_behind = is_behind

    @property
    def caches(self) -> tuple[Cache, ...]:
        return self.pages, self.answers, self.packed

    @property
    def age(self) -> timedelta:
        return datetime.now(UTC) - self.time

    async def bindings(self, name: str, **terms: Filling) -> list[dict[str, Term]]:
        """Return the solutions of a stored SELECT; an unbound variable is absent."""
        content = await self._content(name, TSV, terms)
        if len(content) < SMALL:
            return _solutions(content)
        return await self.aside(partial(_solutions, content))

    async def graph(self, name: str, **terms: Filling) -> list[Triple]:
        """Return the triples of a stored CONSTRUCT."""
        content = await self._content(name, N_TRIPLES, terms)
        return (
            _triples(content)
            if len(content) < SMALL
            else await self.aside(partial(_triples, content))
        )

    async def _content(self, name: str, media_type: str, terms: dict[str, Filling]) -> bytes:
        text = self.library.fill(name, **terms)
        query = Query(text, (media_type,), self.seconds)
        try:
            answer = await self.pool.answer(query, "pages", asking())
        except (QuerySyntaxError, QueryNotAcceptable) as fault:
            raise RuntimeError(f"The stored query {name} is at fault.") from fault
        content = await answer.read()
        if answer.truncated:
            raise QueryFailed(f"the answer to {name} is larger than the limit")
        return content

    async def aside(self, work: Callable[[], Made]) -> Made:
        """Return what `work` gives, made in a thread; a client's share of them is bounded.

        A thread cannot be stopped: it keeps its place until it ends, whoever still waits.
        """
        client = asking().name
        await self.beside.enter(self._end(), client)
        doing = asyncio.get_running_loop().run_in_executor(self.threads, work)
        doing.add_done_callback(lambda _: self.beside.leave(client))
        return await asyncio.shield(doing)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the places at which pages are made, of which each client has a share."""
        async with self.entrance.place(self._end(), asking().name):
            yield

    def _end(self) -> float:
        return asyncio.get_running_loop().time() + self.seconds

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return what `make` gives, made once for this snapshot; a failure is not kept."""
        if key in self.made:
            found: Made = self.made[key]
            return found
        with asked_by(str):  # ourselves: everybody waits for it
            made, is_sound = await self._made(("once", key), make)
        if is_sound:
            self.made[key] = made
        return made

    async def export(self, key: Hashable, job: Any, *, whole: bool) -> File:
        """Return a list as a file, made anew only if it is not on disk."""
        if self.exports is None:
            raise RuntimeError("This snapshot has no exports.")
        shelf, name = self.exports.whole if whole else self.exports.narrowed, digest("file", key)
        if (kept := shelf.get(name)) is not None:
            return kept
        async with self.exports.place():  # on one's own account, whoever else makes it already
            if (kept := shelf.get(name)) is not None:
                return kept
            file, is_sound = await self._made(name, partial(self.exports.make, job))
            if is_sound:
                shelf.put(name, file)
            return file

    def kept(self, key: bytes) -> Any | None:
        """Return an answer that is among the last asked for."""
        return self.answers.get(key)

    async def answer(
        self, key: bytes, make: Callable[[], Awaitable[Made]], seconds: float = 0
    ) -> Made:
        """Return an answer to a query, made anew only if it is not among the last asked for.

        Only those wait for the same making who allow it as many seconds.
        """
        return await self._cached(self.answers, key, make, seconds)

    async def page(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return a representation, made anew only if it is not among the last asked for.

        It is made when a place is free, of which each client has its share.
        """
        name = digest(key)
        kept: Made | None = self.pages.get(name)
        if kept is not None:
            return kept
        async with self.place():  # on one's own account, whoever else makes it already
            return await self._cached(self.pages, name, make)

    async def _cached(
        self, cache: Cache, name: bytes, make: Callable[[], Awaitable[Made]], *alike: Hashable
    ) -> Made:
        kept: Made | None = cache.get(name)
        if kept is not None:
            return kept
        cache.misses += 1
        made, is_sound = await self._made((name, *alike), make)
        if is_sound and made is not None:
            cache.put(name, made)
        return made

    async def _made(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> tuple[Made, bool]:
        """Return what `make` gives, and whether it may be kept: nothing of an engine behind is."""
        was_behind = self.is_behind
        while True:
            is_own = key not in self.making
            try:
                made = await self.making.make(key, make)
            except QueueFull:  # of the client who began it: another's queue is another
                if is_own:
                    raise
            else:
                return made, not (was_behind or self.is_behind)


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
        if self._published is None:
            raise RuntimeError("The service is not started.")
        return self._published

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

    async def refresh(self) -> bool:
        """Serve the newest snapshot; tell whether it is another one than before."""
        async with self._refreshing:
            former = self._published
            snapshot = await self._newest(former)
            if former is not None and former.commit == snapshot.commit:
                former.doubt(is_behind=self.remote_behind)
                return False
            self._published = await self._open(snapshot)
            self._published.doubt(is_behind=self.remote_behind)
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


def _triples(content: bytes) -> list[Triple]:
    return [quad.triple for quad in parse(content, format=RdfFormat.N_TRIPLES)]


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
