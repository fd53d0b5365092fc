"""The one way to question a store: a Query goes in, bytes in a W3C syntax come out.

The boundary is bytes, so that the local pool and a remote SPARQL endpoint are
the same thing to those who ask.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from thc_graph.store.engine.lanes import HOUSE, Client, LaneState

Lane = Literal["pages", "public"]  # our own stored queries, visitors' queries

_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Query:
    """A SPARQL query, as SPARQL 1.1 Protocol, section 2.1, carries it.

    `media_types` are the acceptable types, the preferred first; the first that
    fits the form of the result (bindings or graph) is used. `seconds` is wall
    clock and counts from the call, waiting included. With both graph fields
    None the text alone names its dataset; if either is given, the two together
    are the whole dataset, FROM and FROM NAMED in the text notwithstanding.
    Relative IRIs are resolved against `base`; without one they are faults of syntax.
    """

    text: str
    media_types: tuple[str, ...]
    seconds: float
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None
    base: str | None = None


@dataclass(frozen=True)
class Answer:
    """A result in `media_type`; `truncated` when it was cut at a whole row or triple."""

    media_type: str
    chunks: AsyncIterator[bytes]
    truncated: bool

    async def read(self) -> bytes:
        """Return the whole result; the chunks can be read once only."""
        return b"".join([chunk async for chunk in self.chunks])


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body that is whole in memory, for an Answer."""
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


class State(Protocol):
    """What /readyz and /metrics tell of an engine."""

    @property
    def network_cut(self) -> bool:
        """Whether no process of ours that reads queries has a network."""
        ...

    @property
    def lanes(self) -> Mapping[str, LaneState]: ...

    @property
    def ready(self) -> bool: ...


class Engine(Protocol):
    """What answers queries: the pool of children here, or an endpoint elsewhere."""

    @property
    def graphs(self) -> tuple[str, ...] | None:
        """The named graphs that can be asked, None where the store itself is to be asked."""
        ...

    async def start(self) -> None:
        """Make ready for the first query."""
        ...

    async def stop(self) -> None:
        """Let go of processes and connections, after the last answer."""
        ...

    def state(self) -> State:
        """Return the counts as they are at this moment."""
        ...

    async def answer(self, query: Query, lane: Lane = "public", client: Client = HOUSE) -> Answer:
        """Answer one query, at most `query.seconds` after the call.

        A client has its share of the lane, and is told what the evaluation took.

        Raises:
            QuerySyntaxError: The text is not a SPARQL query; carries line and column.
            QueryNotAcceptable: No media type asked for fits this form of result.
            QueryTimeout: The time limit was reached; nothing partial was sent.
            QueryFailed: The engine gave up: memory, or a fault of its own.
            QueueFull: Too many queries wait already; this one never ran.
            RemoteUnreachable, RemoteWrong: An engine elsewhere is down, or answers nonsense.
        """
        ...
