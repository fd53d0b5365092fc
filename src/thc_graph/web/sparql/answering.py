"""Answering: a visitor's query judged, charged to its client, and answered once for all who ask.

An answer is kept with the snapshot it came from, under what names it: the query's
normal form, its dataset and its media type. Those who ask the same at the same time
wait for one evaluation; when the last of them hangs up it is stopped.
"""

import asyncio
from collections.abc import Callable, Sized
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, TypeVar

from starlette.requests import Request

from thc_graph.errors import (
    QueryError,
    QuerySyntaxError,
    QueueFull,
    RemoteTimeout,
    RemoteUnreachable,
    RemoteWrong,
)
from thc_graph.instance.cache import Cache, digest
from thc_graph.instance.reading import Published
from thc_graph.rdf.terms import PREFIXES
from thc_graph.store.engine import guard
from thc_graph.store.engine.engine import Query
from thc_graph.store.engine.guard import Dataset, Examined
from thc_graph.store.engine.lanes import Client
from thc_graph.web.http.clients import client_of
from thc_graph.web.http.logs import note_query
from thc_graph.web.http.problems import Problem, problem_of
from thc_graph.web.http.quotas import Quotas, quotas_of

SMALL: Final = 1024  # bytes: a text below reads faster than a thread starts

Done = TypeVar("Done")
Read = TypeVar("Read", bound=Sized)


@dataclass(frozen=True)
class Result:
    """A whole answer."""

    media_type: str
    content: bytes
    truncated: bool

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True)
class Question:
    """A query judged fit to run, its dataset published, its media type chosen."""

    text: str
    examined: Examined
    dataset: Dataset | None
    media_types: tuple[str, ...]
    seconds: float
    base: str

    @cached_property
    def key(self) -> bytes:
        """What names the answer within a commit; the time allowed does not change it."""
        return digest("sparql", self.examined.normal, self.dataset, self.media_types)

    def query(self) -> Query:
        default, named = self.dataset or (None, None)
        return Query(self.text, self.media_types, self.seconds, default, named, self.base)


async def examine(request: Request, text: str) -> Examined:
    """Return what the text of a query tells.

    Raises:
        Problem: It must not run; the refusal counts as a fault of the client.
    """
    note_query(request, text)
    texts: Cache = request.app.state.service.texts
    name = digest("examined", text)
    kept: Examined | None = texts.get(name)
    if kept is not None:
        return kept
    try:
        examined = await aside(request, guard.examine, text)  # up to 0.2 s for a hostile one
    except QueryError as error:
        quotas_of(request).fail(client_of(request))
        raise problem_of(error) from error
    texts.put(name, examined)
    return examined


async def aside(request: Request, work: Callable[[Read], Done], given: Read) -> Done:
    """Do on its client's account what takes time in this process, where `given` is large.

    It happens in a thread, one for each client at a time, so that nobody waits for it long.
    """
    if len(given) < SMALL:
        return work(given)
    async with quotas_of(request).reading(client_of(request)):
        return await asyncio.to_thread(work, given)


async def unpublished(published: Published, dataset: Dataset | None) -> tuple[str, ...]:
    """Return the graphs of a dataset that are not published here."""
    if dataset is None:
        return ()
    graphs = await published.once("graph names", partial(_graph_names, published))
    return tuple(each for each in (*dataset.default, *dataset.named) if each not in graphs)


async def _graph_names(published: Published) -> frozenset[str]:
    if published.pool.graphs is not None:
        return frozenset(published.pool.graphs)
    rows = await published.bindings("service/graph-names")
    return frozenset(str(row["graph"])[1:-1] for row in rows)


async def answer(request: Request, published: Published, question: Question) -> Result:
    """Return the answer, kept or made now, on the account of the client that made it begin.

    Those who ask the same share it if they allow it the same time.

    Raises:
        Problem: What the engine refused or gave up, a budget used up, or the client gone.
    """
    if isinstance(kept := published.kept(question.key), Result):
        return kept
    quotas, client = quotas_of(request), client_of(request)
    quotas.admit(client)  # each by itself, whoever else asks the same
    make = partial(_charged, quotas, client, published, question)
    if not question.examined.is_constant:
        return await make()
    return await published.answer(question.key, make, question.seconds)


async def _charged(quotas: Quotas, client: str, published: Published, question: Question) -> Result:
    payer = Client(client, partial(quotas.spend, client))  # of evaluation, not of waiting
    try:
        found = await published.pool.answer(question.query(), "public", payer)
        return Result(found.media_type, await found.read(), found.truncated)
    except (QueueFull, RemoteTimeout, RemoteUnreachable, RemoteWrong):
        raise  # no fault of the client's
    except QueryError as error:
        quotas.fail(client)
        raise _explained(error, question.text) from error


def _explained(error: QueryError, text: str) -> Problem:
    """Return the error with, for a fault of syntax, the PREFIX lines it lacks."""
    problem = problem_of(error)
    if isinstance(error, QuerySyntaxError):
        problem.facts["hint"] = _hint(text)
    return problem


def _hint(text: str) -> str:
    """Return the PREFIX lines that a query uses and forgets, where we know them."""
    used = guard.prefixes(text)
    return "\n".join(f"PREFIX {p}: <{PREFIXES[p]}>" for p in sorted(used) if p in PREFIXES)
