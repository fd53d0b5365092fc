"""The editor: a child that works out what one write after the other changes.

Started as `python -I -S update_child.py PLACES OPTIONS`, like a query's child and
under the same walls: no network, a memory limit, a parent that kills it at the
deadline. A request is a frame and the `length` bytes of a body; its answer is a frame
and `length` bytes: an RDF Patch without its first and last lines, or a graph.

An update that only names its data runs in memory, on those data alone; so does any
update of a small store. Of one DELETE/INSERT … WHERE, the pattern is a query and the
templates are filled in memory. Any other runs on a private copy of the snapshot, in the
folder `scratch`; what it changed is found by reading both in step: they keep one order.
"""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from typing import Any, Final

if __name__ == "__main__":
    sys.path += json.loads(sys.argv[1])

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    QuerySolutions,
    Store,
    Triple,
    parse,
)

from thc_graph.processes.frames import Header, receive, send
from thc_graph.processes.walls import STACK, cut_network, depend_on, limit_memory
from thc_graph.store.engine.query_child import fault_header, syntax_header
from thc_graph.store.engine.results import GRAPHS, NotAcceptableError, write_graph

SMALL: Final = 5_000  # quads that are quicker to copy into memory than to clone on disk

Payload = bytes | bytearray
Change = tuple[set[Quad], set[Quad]]
"""What is removed, what is added."""


class TooManyError(Exception):
    """More quads change than the request allows (`most`; None: as many as memory holds)."""


KINDS: Final = {TooManyError: "too-many", MemoryError: "memory"}


def answer(store: Store, request: Header, body: bytes) -> tuple[Header, Payload]:
    """Return the header and the payload for one request; never raises for a bad one."""
    try:
        return done(store, request, body)
    except SyntaxError as error:
        return syntax_header(error), b""
    except NotAcceptableError as error:
        return {"kind": "not-acceptable", "offered": error.offered}, b""
    except (TooManyError, MemoryError) as error:
        return {"kind": KINDS[type(error)], "limit": request["most"]}, b""
    except (OSError, RuntimeError, ValueError) as error:
        return fault_header(error), b""


def done(store: Store, request: Header, body: bytes) -> tuple[Header, Payload]:
    if request["kind"] == "get":
        return read(store, request)
    if request["kind"] == "update":
        removed, added = changed_by_update(store, request)
        return change_header(lines(removed), lines(added), request["most"])
    return transfer(store, request, body)


def change_header(
    removed: set[str], added: set[str], most: int | None, **facts: Any
) -> tuple[Header, Payload]:
    if most is not None and len(removed) + len(added) > most:
        raise TooManyError
    payload = bytearray()  # row by row: they may be half a million
    for mark, side in (("A", added), ("D", removed)):
        for line in sorted(side):
            payload += f"{mark} {line} .\n".encode()
    return {"kind": "change", "length": len(payload), **facts}, payload


def lines(quads: Iterable[Quad]) -> set[str]:
    """Return quads as N-Quads writes them: a third of the memory, where there are many."""
    return {str(quad) for quad in quads}


def changed_by_update(before: Store, request: Mapping[str, Any]) -> Change:
    concerned = quads_concerned(before, request)
    if concerned is None:
        change = changed_by_pattern(before, request) if request["operation"] else None
        if change is not None:
            return change
        before.backup(request["scratch"])
        after = Store(request["scratch"])
        after.update(request["text"], base_iri=request["base"])
        return difference(before, after, request["most"])
    small = Store()
    small.extend(concerned)
    small.update(request["text"], base_iri=request["base"])
    left = set(small)
    return concerned - left, left - concerned


def changed_by_pattern(store: Store, request: Mapping[str, Any]) -> Change | None:
    """Return what one DELETE/INSERT … WHERE changes, None where only a copy can tell.

    The pattern is a query of the published store; the templates are filled by the engine
    itself, in memory, from its solutions. A blank node cannot be carried across.
    """
    parts, base = request["operation"], request["base"]
    try:
        values = solutions(store, parts, base)
        if values is None:
            return None
        removed, added = (
            filled(parts, parts[template], values, base) for template in ("delete", "insert")
        )
    except SyntaxError:
        return None  # the whole text tells it better
    kept = {quad for quad in removed - added if quad in store}
    return kept, {quad for quad in added if quad not in store}


def solutions(store: Store, parts: Mapping[str, str], base: str) -> str | None:
    """Return the solutions of the pattern as a VALUES clause, None if one holds a blank node."""
    clauses = re.sub(r"\bUSING\b", "FROM", parts["dataset"], flags=re.IGNORECASE)
    prologue, default = parts["prologue"], None
    if parts["with"] and not clauses:
        graph = re.sub("^WITH", "", parts["with"], flags=re.IGNORECASE)
        named = store.query(f"{prologue} SELECT ({graph} AS ?g) {{}}", base_iri=base)
        assert isinstance(named, QuerySolutions)
        default = [next(named)["g"]]
    text = f"{prologue} SELECT * {clauses} WHERE {parts['where']}"
    found = store.query(text, base_iri=base, default_graph=default)
    assert isinstance(found, QuerySolutions)
    rows = []
    for row in found:
        if any(isinstance(term, BlankNode | Triple) for term in row):
            return None
        rows.append(" ".join("UNDEF" if term is None else str(term) for term in row))
    names = " ".join(str(variable) for variable in found.variables)
    return f"VALUES ({names}) {{ {' '.join(f'({row})' for row in rows)} }}"


def filled(parts: Mapping[str, str], template: str, values: str, base: str) -> set[Quad]:
    """Return the quads of a template, filled from each solution."""
    small = Store()
    text = f"{parts['prologue']} {parts['with']} INSERT {template} WHERE {{ {values} }}"
    small.update(text, base_iri=base)
    return set(small)


def quads_concerned(store: Store, request: Mapping[str, Any]) -> set[Quad] | None:
    """Return the quads an update can read or touch, None where they may be many."""
    if request["mentioned"] is not None:
        mentioned = Store()
        mentioned.update(request["mentioned"], base_iri=request["base"])
        return {quad for quad in mentioned if quad in store}
    first = set(islice(store, SMALL + 1))
    return first if len(first) <= SMALL else None


def difference(before: Iterable[Quad], after: Iterable[Quad], most: int | None = None) -> Change:
    """Return the difference of two stores that give their quads in one order.

    Only what is out of step is kept in memory, `most` quads if told.
    """
    removed: set[Quad] = set()
    added: set[Quad] = set()
    for old, new in zip_longest(before, after):
        if old == new:
            continue
        for quad, own, other in ((old, removed, added), (new, added, removed)):
            if quad in other:
                other.remove(quad)
            elif quad is not None:
                own.add(quad)
        if most is not None and len(removed) + len(added) > most:
            raise TooManyError
    return removed, added


def transfer(store: Store, request: Mapping[str, Any], body: bytes) -> tuple[Header, Payload]:
    """Return what replacing, completing or removing a graph changes."""
    graph = graph_of(request)
    parsed = {
        Quad(quad.subject, quad.predicate, quad.object, graph)
        for document, media_type in documents(request, body)
        for quad in parse(
            document,
            format=GRAPHS[media_type],
            base_iri=request["base"],
            without_named_graphs=True,
            rename_blank_nodes=True,
        )
    }
    given = lines(as_kept(parsed))
    del parsed
    held = lines(store.quads_for_pattern(None, None, None, graph))
    facts = {"existed": bool(held), "digest": digest(held)}
    added = given - held
    removed = held - given if request["kind"] in ("put", "delete") else set[str]()
    del held, given
    return change_header(removed, added, request["most"], **facts)


def as_kept(quads: Iterable[Quad]) -> Store:
    """Return quads as the engine keeps them: the decimal 49.0 is 49."""
    store = Store()
    store.extend(quads)  # bulk_extend sets 200 MB aside first
    return store


def documents(request: Mapping[str, Any], body: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield each document with its media type: one, or the parts of a form."""
    if request["kind"] == "delete":
        return
    if not request["content_type"].startswith("multipart/form-data"):
        yield body, request["media_type"]
        return
    from email import message_from_bytes  # noqa: PLC0415 - slow to load, seldom needed

    head = f"Content-Type: {request['content_type']}\r\n\r\n".encode()
    for part in message_from_bytes(head + body).walk():
        if not part.is_multipart():
            media_type = part.get_content_type()
            if media_type not in GRAPHS:
                raise SyntaxError(f"a part is not RDF but {media_type}")
            yield part.get_payload(decode=True), media_type  # type: ignore[misc]


def read(store: Store, request: Mapping[str, Any]) -> tuple[Header, bytes]:
    """Return a graph in a syntax, with its digest."""
    quads = set(store.quads_for_pattern(None, None, None, graph_of(request)))
    triples = sorted((quad.triple for quad in quads), key=str)
    limit = request["max_bytes"]
    content, truncated = write_graph(triples, request["media_type"], request["prefixes"], limit)
    if truncated:
        return {"kind": "too-large"}, b""
    facts = {"existed": bool(quads), "digest": digest(lines(quads))}
    return {"kind": "graph", "length": len(content), **facts}, content


def graph_of(request: Mapping[str, Any]) -> NamedNode | DefaultGraph:
    return NamedNode(request["graph"]) if request["graph"] is not None else DefaultGraph()


def digest(quads: Iterable[str]) -> str:
    """Return what names the content of a graph, from its lines: the same for the same triples."""
    hashed = hashlib.sha256()
    for line in sorted(quads):
        hashed.update(line.encode())
    return hashed.hexdigest()[:24]


def serve(memory: int) -> None:
    """Answer requests until the parent hangs up."""
    limit_memory(memory)
    while (request := receive()) is not None:
        body = sys.stdin.buffer.read(request["length"])
        try:
            store = Store.read_only(request["snapshot"])
        except (OSError, RuntimeError) as error:
            send({"kind": "other", "message": str(error)})
            continue
        send(*answer(store, request, body))
        del store  # the snapshot may go, and its files with it


def main() -> None:
    options = json.loads(sys.argv[2])
    depend_on(options["parent"])
    cut_network()
    threading.stack_size(STACK)
    threading.Thread(target=serve, args=(options["memory"],)).start()


if __name__ == "__main__":
    main()
