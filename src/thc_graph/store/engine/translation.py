"""Answers of other engines, read in any W3C syntax and written anew by our own worker's code.

So whatever the engine, an answer is in the type that was asked for, well formed,
cut at a whole row or triple, and the same bytes as the pool's for the same facts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import (
    Literal,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
)

from thc_graph.errors import QueryError, QueryFailed, QueryNotAcceptable, RemoteWrong
from thc_graph.store.engine import results

ACCEPT: Final = {  # by form: one type, since some engines give rows for a graph and the reverse
    "bindings": results.JSON,
    "graph": "application/n-triples",
}
_BOOLEAN: Final = {
    True: b'{"head":{},"boolean":true}',
    False: b'{"head":{},"boolean":false}',
}
_VIRTUOSO_BOOLEAN: Final = "__ASK_RETVAL"  # its answer to ASK: one row of 1, or no row
_ALSO: Final = {"application/json": results.JSON, "text/plain": "application/n-triples"}


@dataclass(frozen=True)
class Reply:
    """What an engine answered; `cut` when only the beginning of it was read."""

    media_type: str
    body: bytes
    cut: bool


def family(form: str) -> str:
    return "bindings" if form in ("SELECT", "ASK") else "graph"


def choose(form: str, asked: Iterable[str]) -> str:
    """Return the first type asked for that can carry the result of this form of query.

    Raises:
        QueryNotAcceptable: None can.
    """
    offered = results.BINDINGS if family(form) == "bindings" else results.GRAPHS
    try:
        return results.choose(asked, offered)
    except results.NotAcceptableError as refusal:
        raise QueryNotAcceptable(refusal.offered) from None


def written(
    reply: Reply, form: str, media_type: str, prefixes: Mapping[str, str], limit: int
) -> tuple[bytes, bool]:
    """Return the reply in `media_type`, at most `limit` bytes, and whether it was cut.

    Raises:
        RemoteWrong: The reply is not what its media type says, or not of this form.
        QueryFailed: Not even one row or triple fits.
        QueryNotAcceptable: A triple cannot be written in this syntax.
    """
    refusal: QueryError
    try:
        if family(form) == "graph":
            return _graph(reply, media_type, prefixes, limit)
        return _bindings(reply, form, media_type, limit)
    except (SyntaxError, UnicodeDecodeError) as fault:
        refusal = RemoteWrong(f"malformed {reply.media_type}: {fault}")
    except results.NotAcceptableError as fault:
        refusal = QueryNotAcceptable(fault.offered)
    except QueryError as fault:
        refusal = fault.with_traceback(None)
        refusal.__context__ = None
    # Raised without what led to it: results must die in the thread that made them, and
    # the frames of a traceback would carry them to the one that reads it.
    raise refusal


def _bindings(reply: Reply, form: str, media_type: str, limit: int) -> tuple[bytes, bool]:
    found = _results(reply)
    if form == "ASK":
        spool = results.Spool(limit)
        _boolean(found).serialize(spool, format=results.BINDINGS[media_type])
        return spool.content(), False
    if not isinstance(found, QuerySolutions):
        raise RemoteWrong("a boolean for a SELECT")
    if not reply.cut:
        return results.write_bindings(found, media_type, limit)
    try:
        body, _ = results.write_bindings(found, media_type, limit, (results.FullError, SyntaxError))
    except ValueError:  # the cut fell before the first row
        raise QueryFailed("one row is larger than the limit") from None
    return body, True


def _results(reply: Reply) -> QuerySolutions | QueryBoolean:
    syntax = QueryResultsFormat.from_media_type(_ALSO.get(reply.media_type, reply.media_type))
    if syntax is None or syntax == QueryResultsFormat.CSV:  # CSV does not say what is an IRI
        raise RemoteWrong(f"{reply.media_type or 'no media type'} instead of bindings")
    return parse_query_results(reply.body, format=syntax)


def _boolean(found: QuerySolutions | QueryBoolean) -> QueryBoolean:
    """Return a verdict as such, also where it was told as a row."""
    if isinstance(found, QueryBoolean):
        return found
    if [each.value for each in found.variables] != [_VIRTUOSO_BOOLEAN]:
        raise RemoteWrong("rows for an ASK")
    verdict = any(isinstance(row[0], Literal) and row[0].value != "0" for row in found)
    made = parse_query_results(_BOOLEAN[verdict], format=QueryResultsFormat.JSON)
    assert isinstance(made, QueryBoolean)  # the only way to make one
    return made


def _graph(
    reply: Reply, media_type: str, prefixes: Mapping[str, str], limit: int
) -> tuple[bytes, bool]:
    syntax = RdfFormat.from_media_type(_ALSO.get(reply.media_type, reply.media_type))
    if syntax is None:
        raise RemoteWrong(f"{reply.media_type or 'no media type'} instead of a graph")
    quads = parse(reply.body, format=syntax)
    triples = _whole(quads) if reply.cut else (quad.triple for quad in quads)
    body, truncated = results.write_graph(triples, media_type, prefixes, limit)
    return body, truncated or reply.cut


def _whole(quads: Iterable[Quad]) -> Iterator[Triple]:
    """Yield the triples up to where the document was cut."""
    try:
        for quad in quads:
            yield quad.triple
    except SyntaxError:
        return
