"""Results: how the engine's solutions and triples are written, whole or cut at a limit."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pyoxigraph import (
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Triple,
    serialize,
)

JSON: Final = "application/sparql-results+json"
XML: Final = "application/sparql-results+xml"
CSV: Final = "text/csv"
TSV: Final = "text/tab-separated-values"
RDF_XML: Final = "application/rdf+xml"
JSON_LD: Final = "application/ld+json"

BINDINGS: Final = {
    JSON: QueryResultsFormat.JSON,
    XML: QueryResultsFormat.XML,
    CSV: QueryResultsFormat.CSV,
    TSV: QueryResultsFormat.TSV,
}

GRAPHS: Final = {
    "text/turtle": RdfFormat.TURTLE,
    JSON_LD: RdfFormat.JSON_LD,
    RDF_XML: RdfFormat.RDF_XML,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/n-quads": RdfFormat.N_QUADS,
    "application/trig": RdfFormat.TRIG,
    "text/n3": RdfFormat.N3,
}
_REPLACEMENT: Final = "\ufffd".encode()
_NOT_XML: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NONCHARACTER: Final = re.compile(rb"\xef\xbf[\xbe\xbf]")
_XML_NAME_AT_END: Final = re.compile(r"[^\W\d][\w.·-]*$")
_JSON_ESCAPE: Final = re.compile(rb"\\.")

_TAIL_ROOM: Final = 64  # what closes a cut document, at most
_UNFLUSHED: Final = 8192  # what the serialiser may still hold back
_BYTES_A_CHARACTER: Final = 6  # "\\u0001", "&quot;": the worst a character of a term can become
_MARKUP: Final = 512  # tags, keys and indentation around one triple


class NotAcceptableError(Exception):
    """No media type asked for can carry the result; `offered` can."""

    def __init__(self, offered: Iterable[str]) -> None:
        super().__init__()
        self.offered = list(offered)


class FullError(Exception):
    """The result has reached its limit."""


class Spool(io.BytesIO):
    """Bytes in memory, at most `limit`; in XML, only characters that XML 1.0 allows.

    A character that XML cannot hold becomes U+FFFD, and a carriage return, which
    a parser would read as a line feed, its reference.
    """

    def __init__(self, limit: int, *, xml: bool = False) -> None:
        super().__init__()
        self.limit = limit
        self.xml = xml

    def write(self, chunk: Any, /) -> int:
        legal = _legal(bytes(chunk)) if self.xml else bytes(chunk)
        super().write(legal[: self.limit - self.tell()])
        if self.tell() >= self.limit:
            raise FullError
        return len(chunk)

    def content(self) -> bytes:
        content = self.getvalue()
        return _NONCHARACTER.sub(_REPLACEMENT, content) if self.xml else content


def _legal(chunk: bytes) -> bytes:
    return _NOT_XML.sub(_REPLACEMENT, chunk).replace(b"\r", b"&#13;")


def choose(asked: Iterable[str], offered: Iterable[str]) -> str:
    """Return the first type asked for that is offered, or raise NotAcceptableError."""
    for media_type in asked:
        if media_type in offered:
            return media_type
    raise NotAcceptableError(offered)


def write_bindings(
    rows: QuerySolutions,
    media_type: str,
    limit: int,
    broken: tuple[type[Exception], ...] = (FullError,),
) -> tuple[bytes, bool]:
    """Return the rows and whether they were cut; `broken` is what breaks them off."""
    spool = Spool(limit, xml=media_type == XML)
    try:
        rows.serialize(spool, format=BINDINGS[media_type])
    except broken:
        return cut(spool.content()[: limit - _TAIL_ROOM], media_type), True
    return spool.content(), False


def cut(body: bytes, media_type: str) -> bytes:
    """Return `body`, broken off anywhere, up to its last whole row, its syntax closed."""
    if media_type == JSON:
        end = last_unquoted(_JSON_ESCAPE.sub(b"..", body), b"},{") + 1
        return body[: end or body.index(b"[", body.index(b'"bindings"')) + 1] + b"]}}"
    if media_type == XML:
        mark = b"</result>" if b"</result>" in body else b"<results>"
        return body[: body.rindex(mark) + len(mark)] + b"</results></sparql>"
    if media_type == CSV:
        return body[: last_unquoted(body, b"\r\n") + 2]
    return body[: body.rindex(b"\n") + 1]


def last_unquoted(body: bytes, mark: bytes) -> int:
    """Return where `mark` last stands outside double quotes, or -1."""
    end, quotes = len(body), body.count(b'"')
    while (start := body.rfind(mark, 0, end)) >= 0:
        quotes -= body.count(b'"', start, end)
        if quotes % 2 == 0:
            return start
        end = start
    return -1


def write_graph(
    triples: Iterable[Triple], media_type: str, prefixes: Mapping[str, str], limit: int
) -> tuple[bytes, bool]:
    """Return the graph and whether triples were left out to keep it under `limit` bytes."""
    xml = media_type == RDF_XML
    spool = Spool(limit, xml=xml)
    # A prefix that ends within a name would leave an element of RDF/XML without one.
    used = {p: iri for p, iri in prefixes.items() if not xml or iri.endswith(("/", "#"))}
    fitting = Fitting(writable(triples, media_type), spool)
    serialize(fitting, spool, format=GRAPHS[media_type], prefixes=used)
    return spool.content(), fitting.truncated


class Fitting:
    """The triples that surely fit in a spool, whatever their syntax."""

    def __init__(self, triples: Iterable[Triple], spool: Spool) -> None:
        self.triples = triples
        self.spool = spool
        self.truncated = False

    def __iter__(self) -> Iterator[Triple]:
        room = self.spool.limit - _UNFLUSHED - _TAIL_ROOM
        for triple in self.triples:
            size = _MARKUP + _BYTES_A_CHARACTER * len(str(triple))
            if self.spool.tell() + size >= room:
                self.truncated = True
                return
            yield triple


def writable(triples: Iterable[Triple], media_type: str) -> Iterator[Triple]:
    """Yield the triples, or raise NotAcceptableError at one this syntax cannot carry.

    RDF/XML needs a predicate that ends in an XML name; JSON-LD 1.1 has no triple terms.
    """
    others = [other for other in GRAPHS if other != media_type]
    for triple in triples:
        if media_type == RDF_XML and not _XML_NAME_AT_END.search(triple.predicate.value):
            raise NotAcceptableError(others)
        if media_type == JSON_LD and isinstance(triple.object, Triple):
            raise NotAcceptableError(others)
        yield triple
