"""Remote: a SPARQL 1.1 endpoint elsewhere, held to what the pool promises.

A child of ours over an empty store reads every query first, so that only standard
SPARQL goes out and a fault of syntax has its line and column whatever the engine.
What comes back is read whole under our deadline and our size limit, then written
anew (`store.engine.translation`). The engine is sent our own headers only, and is asked
nothing twice.
"""

import asyncio
import logging
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from pyoxigraph import NamedNode, Store

from thc_graph.errors import (
    QueryFailed,
    QuerySyntaxError,
    QueryTimeout,
    QueueFull,
    RemoteTimeout,
    RemoteUnreachable,
    RemoteWrong,
)
from thc_graph.rdf.terms import VOCABULARY
from thc_graph.store.engine import guard, translation
from thc_graph.store.engine.engine import Answer, Lane, Query, chunks
from thc_graph.store.engine.lanes import HOUSE, Client, LaneRoom, LaneState, Room
from thc_graph.store.engine.pool import MAX_BYTES, Pool
from thc_graph.store.engine.results import BINDINGS, GRAPHS
from thc_graph.store.engine.translation import Reply

CONNECT_SECONDS: Final = 2.0  # an engine that takes longer to say hello is not there
READING_SECONDS: Final = 1.0  # for our own child to read a query and find nothing
WIRE: Final = 8  # its bytes may be this many times ours: JSON is wordier than CSV
NOTHING: Final = VOCABULARY + "nothing"  # a graph that no engine holds: an empty part of a dataset

_LOG: Final = logging.getLogger(__name__)
_CUT_BY_ENGINE: Final = ("x-sparql-maxrows", "x-sql-state")  # Virtuoso's ways to say "not all"
_BUSY: Final = frozenset({429, 503})
_LATE: Final = frozenset({408, 504})


@dataclass(frozen=True)
class Dataset:
    """Our graphs in an engine that may hold others: the union, and those it is made of."""

    default: str
    named: tuple[str, ...]
    mark: str = ""  # the graph that says which commit is held

    def only(self, graphs: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return those of the graphs that are ours."""
        ours = {self.default, self.mark, *self.named}
        return tuple(each for each in graphs or () if each in ours)


@dataclass(frozen=True)
class RemoteState:
    """What /readyz and /metrics tell of a remote engine."""

    reachable: bool
    network_cut: bool
    lanes: Mapping[str, LaneState]

    @property
    def ready(self) -> bool:
        return self.reachable


def credentials(environment: Mapping[str, str], prefix: str) -> httpx.Auth | None:
    """Return what `{prefix}_TOKEN`, or `{prefix}_USER` and `{prefix}_PASSWORD`, say.

    `{prefix}_AUTH` is `basic`, the default, or `digest`, as Virtuoso wants it.
    """
    if token := environment.get(f"{prefix}_TOKEN"):
        return _Bearer(token)
    user = environment.get(f"{prefix}_USER")
    if not user:
        return None
    scheme = {"digest": httpx.DigestAuth}.get(
        environment.get(f"{prefix}_AUTH", "basic"), httpx.BasicAuth
    )
    return scheme(user, environment.get(f"{prefix}_PASSWORD", ""))


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self.token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


class Remote:
    """An Engine over a query address; `start` before the first query, `stop` at the end.

    `workers` queries of each lane are at work at once unless `lanes` says otherwise.
    With a `dataset`, a query that names no graphs is asked over it, and one that names
    others is shown none of them.
    """

    def __init__(
        self,
        address: str,
        workers: int = 2,
        *,
        auth: httpx.Auth | None = None,
        dataset: Dataset | None = None,
        lanes: Mapping[Lane, Room] | None = None,
        max_bytes: int = MAX_BYTES,
        prefixes: Mapping[str, str] | None = None,
    ) -> None:
        self.address = address
        self.dataset = dataset
        self.max_bytes = max_bytes
        self.prefixes = dict(prefixes or {})
        self.reachable = True
        rooms: dict[Lane, Room] = {"pages": Room(workers, 256), "public": Room(workers, 16)}
        rooms |= lanes or {}
        self._lanes = {str(lane): LaneRoom[int](room) for lane, room in rooms.items()}
        for room in self._lanes.values():
            for number in range(room.room.workers):
                room.idle.put_nowait(number)
        self._client = _client(auth, sum(room.workers for room in rooms.values()))
        self._empty = tempfile.TemporaryDirectory(prefix="thc-graph-")
        self._reader = Pool(Path(self._empty.name) / "quads", lanes=rooms)

    @property
    def graphs(self) -> tuple[str, ...] | None:
        return self.dataset.named if self.dataset else None

    async def start(self) -> None:
        """Start the children that read queries; the engine itself is not asked anything."""
        Store(str(self._reader.snapshot)).flush()
        await self._reader.start()

    async def stop(self) -> None:
        await self._reader.stop()
        await self._client.aclose()
        self._empty.cleanup()

    def state(self) -> RemoteState:
        return RemoteState(
            self.reachable,
            self._reader.state().network_cut,
            {lane: room.state() for lane, room in self._lanes.items()},
        )

    async def answer(self, query: Query, lane: Lane = "public", client: Client = HOUSE) -> Answer:
        """Answer one query, or stop waiting; the answer is whole in memory when this returns.

        Cancelling the call closes the connection. For what is raised see Engine.answer.
        """
        room = self._lanes[lane]
        end = asyncio.get_running_loop().time() + query.seconds
        async with room.place(end, client.name):
            number = await room.take(end)
            try:
                with room.counting(client):
                    return await self._run(query, lane, end)
            finally:
                room.idle.put_nowait(number)

    async def _run(self, query: Query, lane: Lane, end: float) -> Answer:
        try:
            async with asyncio.timeout_at(end):
                return await self._relayed(query, lane)
        except TimeoutError:
            raise QueryTimeout(query.seconds) from None

    async def _relayed(self, query: Query, lane: Lane) -> Answer:
        form = await self._read(query, lane)
        media_type = translation.choose(form, query.media_types)
        reply = await self._ask(query, form)
        body, truncated = await asyncio.to_thread(
            translation.written, reply, form, media_type, self.prefixes, self.max_bytes
        )
        return Answer(media_type, chunks(body), truncated)

    async def _read(self, query: Query, lane: Lane) -> str:
        """Return the form of a query that is standard SPARQL and calls nothing of the engine's."""
        guard.check_portable(query.text)
        seconds = min(query.seconds, READING_SECONDS)
        alone = Query(query.text, (*BINDINGS, *GRAPHS), seconds, base=query.base)
        try:
            await self._reader.answer(alone, lane)
        except QueryTimeout:  # read, but long even over nothing: the engine's work from here
            if seconds == query.seconds:
                raise
        form = guard.form(query.text)
        if form is None or form == "UPDATE":
            raise QuerySyntaxError("SELECT, ASK, CONSTRUCT or DESCRIBE is missing")
        return form

    async def _ask(self, query: Query, form: str) -> Reply:
        accept = translation.ACCEPT[translation.family(form)]
        base = f"BASE {NamedNode(query.base)} " if query.base else ""
        graphs = self._graphs(query)  # Virtuoso takes what a text names beside it
        text = guard.without_dataset(query.text) if graphs else query.text
        sent = {"query": [base + text], **graphs}
        try:
            reply = await self._post(sent, accept, query)
        except httpx.ConnectTimeout:
            self.reachable = False
            raise RemoteTimeout(CONNECT_SECONDS) from None
        except httpx.HTTPError as fault:
            self.reachable = False
            _LOG.warning("The remote engine failed: %r", fault)
            raise RemoteUnreachable from None
        self.reachable = True
        return reply

    async def _post(self, form: dict[str, list[str]], accept: str, query: Query) -> Reply:
        """Send one form and read the reply, as far as the limit goes."""
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        body, limit = bytearray(), WIRE * self.max_bytes
        async with self._client.stream(
            "POST", self.address, data=form, headers=headers
        ) as response:
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > limit:
                    break
            _check(response, bytes(body[:_QUOTED]), query)
        cut = len(body) > limit or any(name in response.headers for name in _CUT_BY_ENGINE)
        return Reply(_media_type(response), bytes(body[:limit]), cut)

    def _graphs(self, query: Query) -> dict[str, list[str]]:
        """Return the dataset as SPARQL 1.1 Protocol, section 2.1.4, names it.

        A part that is left out is everything to some engines, so an empty part is
        said to be a graph that nobody holds.
        """
        default, named = query.default_graphs, query.named_graphs
        if default is None and named is None:
            default, named = guard.dataset(query.text) or (None, None)
        if default is None and named is None:
            if self.dataset is None:
                return {}
            default, named = (self.dataset.default,), self.dataset.named
        elif self.dataset is not None:
            default, named = self.dataset.only(default), self.dataset.only(named)
        return {
            "default-graph-uri": [*dict.fromkeys(default or (NOTHING,))],
            "named-graph-uri": [*dict.fromkeys(named or (NOTHING,))],
        }


_QUOTED: Final = 300  # bytes of an error that the log quotes


def _client(auth: httpx.Auth | None, connections: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        auth=auth,
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


def _check(response: httpx.Response, quoted: bytes, query: Query) -> None:
    """Raise what a status other than 200 means."""
    status = response.status_code
    if status == httpx.codes.OK and "content-encoding" not in response.headers:
        return
    _LOG.warning("The remote engine answered %s: %r", status, quoted)
    if status in _BUSY:
        wait = response.headers.get("retry-after", "")
        raise QueueFull(int(wait) if wait.isdigit() else 1)
    if status in _LATE:
        raise QueryTimeout(query.seconds)
    if status == httpx.codes.BAD_REQUEST:  # it is SPARQL, but not of this engine
        raise QueryFailed("a fault of the engine")
    raise RemoteWrong(f"status {status}: {quoted!r}")


def _media_type(response: httpx.Response) -> str:
    found: str = response.headers.get("content-type", "")
    return found.partition(";")[0].strip().lower()
