"""The child: one query at a time, no network, and a parent that may kill it.

Started as `python -I -S query_child.py PLACES OPTIONS`: PLACES is a JSON list of folders,
that of pyoxigraph and ours, OPTIONS a JSON object (snapshot, memory, nice, parent). It
imports next to nothing, so that it is ready in about 30 ms. A frame, in and out, is four
bytes of length (big-endian) and as many of JSON; a header of kind "answer" is
followed by `length` bytes, the result. A request names the snapshot it asks, one of
which may be another than before; without a `text` it only opens that one.

Everything happens in one thread: results of pyoxigraph must not change threads,
and this one has the stack that deep queries need.
"""

import ctypes
import io
import json
import os
import re
import resource
import signal
import struct
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

if __name__ == "__main__":
    sys.path += json.loads(sys.argv[1])

from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

STACK: Final = 256 * 1024 * 1024
HELD: Final = 2  # snapshots open: the published one, and the former while somebody reads it
UNOPENED: Final = (OSError, RuntimeError, ValueError)  # of a snapshot

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
_UNKNOWN_FUNCTION: Final = re.compile(r"The custom (?:aggregate )?function (<[^>]*>) is not")
_SYNTAX_ERROR: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)

_TAIL_ROOM: Final = 64  # what closes a cut document, at most
_UNFLUSHED: Final = 8192  # what the serialiser may still hold back
_BYTES_A_CHARACTER: Final = 6  # "\\u0001", "&quot;": the worst a character of a term can become
_MARKUP: Final = 512  # tags, keys and indentation around one triple

Header = dict[str, Any]


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


def answer(store: Store, request: Mapping[str, Any]) -> tuple[Header, bytes]:
    """Return the header and the body of the answer to one request; never raises for a query."""
    try:
        media_type, body, truncated = evaluate(store, request)
    except SyntaxError as error:
        return syntax_header(error), b""
    except NotAcceptableError as error:
        return {"kind": "not-acceptable", "offered": error.offered}, b""
    except MemoryError:
        return {"kind": "memory"}, b""
    except (OSError, RuntimeError, ValueError) as error:
        return fault_header(error), b""
    header = {"media_type": media_type, "truncated": truncated, "length": len(body)}
    return {"kind": "answer"} | header, body


def syntax_header(error: SyntaxError) -> Header:
    place = _SYNTAX_ERROR.fullmatch(str(error))
    if place is None:
        return {"kind": "syntax", "message": str(error), "line": None, "column": None}
    line, column, message = place.groups()
    return {"kind": "syntax", "message": message, "line": int(line), "column": int(column)}


def fault_header(error: Exception) -> Header:
    """Return what to tell of a fault of the engine, or of a function that it does not have."""
    if unknown := _UNKNOWN_FUNCTION.search(str(error)):
        return {"kind": "unknown-function", "function": unknown[1]}
    return {"kind": "other", "message": f"{type(error).__name__}: {error}"}


def evaluate(store: Store, request: Mapping[str, Any]) -> tuple[str, bytes, bool]:
    """Return media type, body and whether the body was cut at `max_bytes`."""
    source, dataset = choose_dataset(store, request)
    result = source.query(request["text"], base_iri=request["base"], **dataset)
    limit = request["max_bytes"]
    if isinstance(result, QuerySolutions):
        media_type = choose(request["media_types"], BINDINGS)
        return media_type, *write_bindings(result, media_type, limit)
    if isinstance(result, QueryBoolean):
        media_type = choose(request["media_types"], BINDINGS)
        spool = Spool(limit)
        result.serialize(spool, format=BINDINGS[media_type])
        return media_type, spool.content(), False
    media_type = choose(request["media_types"], GRAPHS)
    return media_type, *write_graph(result, media_type, request["prefixes"], limit)


def choose(asked: Iterable[str], offered: Iterable[str]) -> str:
    """Return the first type asked for that is offered, or raise NotAcceptableError."""
    for media_type in asked:
        if media_type in offered:
            return media_type
    raise NotAcceptableError(offered)


def choose_dataset(store: Store, request: Mapping[str, Any]) -> tuple[Store, dict[str, Any]]:
    """Return the store to ask and the dataset arguments of `Store.query`.

    A default graph is a set, but the engine returns a triple once for each
    default graph it stands in: several are first merged in memory, at the cost of
    about one second for each 100,000 triples and 0.5 kB for each.
    """
    if request["default_graphs"] is None and request["named_graphs"] is None:
        return store, {}
    default = [NamedNode(iri) for iri in dict.fromkeys(request["default_graphs"] or ())]
    named = [NamedNode(iri) for iri in request["named_graphs"] or ()]
    if len(default) <= 1:
        return store, {"default_graph": default, "named_graphs": named}
    return merge(store, default, named), {"default_graph": DefaultGraph(), "named_graphs": named}


def merge(store: Store, default: Iterable[NamedNode], named: Iterable[NamedNode]) -> Store:
    merged = Store()
    for graph in default:
        quads = store.quads_for_pattern(None, None, None, graph)
        merged.extend(Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    for graph in named:
        merged.extend(store.quads_for_pattern(None, None, None, graph))
    return merged


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


def receive(source: BinaryIO | None = None) -> Header | None:
    """Return the next frame, or None when the parent has closed its end."""
    source = source or sys.stdin.buffer
    size = source.read(4)
    if len(size) < 4:  # noqa: PLR2004 - the length of a length
        return None
    frame: Header = json.loads(source.read(struct.unpack(">I", size)[0]))
    return frame


def send(header: Header, body: bytes | bytearray = b"", target: BinaryIO | None = None) -> None:
    target = target or sys.stdout.buffer
    frame = json.dumps(header).encode()
    target.write(struct.pack(">I", len(frame)) + frame)
    target.write(body)
    target.flush()


def depend_on(parent: int) -> None:
    """Die with the parent, and by its hand alone: a Ctrl-C or a stop is told to it."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    die_with(parent)


def die_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        raise SystemExit(1)


def cut_network() -> bool:
    """Move to a network without interfaces and say whether that worked.

    It must come before the first thread. A container may forbid it.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None).unshare
    return bool(unshare(0x10000000 | 0x40000000) == 0 or unshare(0x40000000) == 0)


def limit_memory(memory: int) -> None:
    """Let the process touch about `memory` bytes, its stack of 256 MiB among them.

    The limit is one of address space; what is reserved by now and never touched
    (allocator arenas, stacks of RocksDB's threads) is added to it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reserved = 0
    if sys.platform == "linux":
        pages, resident = Path("/proc/self/statm").read_text().split()[:2]
        reserved = (int(pages) - int(resident)) * resource.getpagesize() - STACK
    limit = memory + max(0, reserved)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def serve(snapshot: str, memory: int, *, network_cut: bool) -> None:
    """Answer requests until the parent hangs up."""
    stores: dict[str, Store] = {}
    try:
        stores[snapshot] = Store.read_only(snapshot)
        another = Store.read_only(snapshot)  # its addresses count as reserved
        limit_memory(memory)
    except UNOPENED as error:
        send({"kind": "broken", "message": str(error)})
        return
    del another
    send({"kind": "ready", "network_cut": network_cut})
    while (request := receive()) is not None:
        try:
            store = opened(stores, request["snapshot"])
        except UNOPENED as error:
            send({"kind": "broken", "message": str(error)})
            continue
        reply = answer(store, request) if "text" in request else (_state(), b"")
        del store  # may be the last to hold it when another is opened
        send(*reply)


def opened(stores: dict[str, Store], snapshot: str) -> Store:
    """Return a snapshot's store; the longest open is closed when there are too many."""
    if snapshot not in stores:
        while len(stores) >= HELD:
            del stores[next(iter(stores))]
        stores[snapshot] = Store.read_only(snapshot)
    return stores[snapshot]


def _state() -> Header:
    """Return the answer to whoever only opens a snapshot: the memory held, in bytes."""
    resident = 0
    if sys.platform == "linux":
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return {"kind": "ready", "resident": resident}


def main() -> None:
    options = json.loads(sys.argv[2])
    depend_on(options["parent"])
    os.nice(options["nice"])
    network_cut = cut_network()
    threading.stack_size(STACK)
    threading.Thread(
        target=serve,
        args=(options["snapshot"], options["memory"]),
        kwargs={"network_cut": network_cut},
    ).start()


if __name__ == "__main__":
    main()
