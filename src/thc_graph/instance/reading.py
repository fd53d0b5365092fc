"""Reading: one snapshot, what answers over it, and what was made of it."""

import asyncio
import os
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
    QueryFailed,
    QueryNotAcceptable,
    QuerySyntaxError,
    QueueFull,
)
from thc_graph.instance.cache import Cache, Together, digest
from thc_graph.instance.exports import Exports, File
from thc_graph.rdf.terms import Term
from thc_graph.schema.model import Schema
from thc_graph.search.index import Index
from thc_graph.store.engine.backed import Backed
from thc_graph.store.engine.engine import Engine, Query
from thc_graph.store.engine.lanes import Places, Room, asked_by, asking
from thc_graph.store.library import Filling, Library
from thc_graph.store.snapshots.snapshot import Snapshot

Made = TypeVar("Made")
TSV = "text/tab-separated-values"  # the smallest to carry and the quickest to parse
N_TRIPLES = "application/n-triples"
SMALL = 64 << 10  # bytes of an answer; a thread costs more than to read it
KEPT = 32 << 20  # bytes of pages kept for a snapshot, of answers to queries, and of both packed
ASIDE = Room(2, 256)  # work in threads: a question to the index takes 0.1 s at worst
PAGES = Room(8, 256, share=2)  # pages in the making


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


def _triples(content: bytes) -> list[Triple]:
    return [quad.triple for quad in parse(content, format=RdfFormat.N_TRIPLES)]


def _solutions(content: bytes) -> list[dict[str, Term]]:
    found = cast("QuerySolutions", parse_query_results(content, format=QueryResultsFormat.TSV))
    names = [each.value for each in found.variables]
    return [
        {name: term for name, term in zip(names, row, strict=True) if term is not None}
        for row in found
    ]
