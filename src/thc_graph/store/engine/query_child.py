"""The child: one query at a time, no network, and a parent that may kill it.

Started as `python -I -S query_child.py PLACES OPTIONS`: PLACES is a JSON list of folders,
that of pyoxigraph and ours, OPTIONS a JSON object (snapshot, memory, nice, parent). It
imports next to nothing, so that it is ready in about 30 ms. A frame, in and out, is four
bytes of length (big-endian) and as many of JSON; a header of kind "answer" is
followed by `length` bytes, the result. A request names the snapshots to hold open,
and asks one of them unless it has no `text`: publications do not end the process.

Everything happens in one thread: results of pyoxigraph must not change threads,
and this one has the stack that deep queries need.
"""

import json
import os
import re
import resource
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    sys.path += json.loads(sys.argv[1])

from pyoxigraph import (
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    Store,
)

from thc_graph.processes.frames import Header, receive, send
from thc_graph.processes.walls import STACK, cut_network, depend_on, limit_memory
from thc_graph.store.engine.results import (
    BINDINGS,
    GRAPHS,
    NotAcceptableError,
    Spool,
    choose,
    write_bindings,
    write_graph,
)

HELD: Final = 4  # snapshots open at once: the published one, and former ones that are still read
SPACE: Final = 32 * 1024 * 1024  # addresses that one more takes; 18 MiB when it was measured
UNOPENED: Final = (OSError, RuntimeError, ValueError)  # of a snapshot


_UNKNOWN_FUNCTION: Final = re.compile(r"The custom (?:aggregate )?function (<[^>]*>) is not")
_SYNTAX_ERROR: Final = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)


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


def serve(snapshot: str, memory: int, *, network_cut: bool) -> None:
    """Answer requests until the parent hangs up."""
    try:
        stores = {snapshot: Store.read_only(snapshot)}
        limit_memory(memory + (HELD - 1) * SPACE)
    except UNOPENED as error:
        send({"kind": "broken", "message": str(error)})
        return
    send({"kind": "ready", "network_cut": network_cut})
    while (request := receive()) is not None:
        faults = hold(stores, request["held"])
        if "text" not in request:
            send({"kind": "held", "faults": faults, "resident": resident()})
        elif request["snapshot"] in stores:
            send(*answer(stores[request["snapshot"]], request))
        else:
            send({"kind": "other", "message": faults[request["snapshot"]]})


def hold(stores: dict[str, Store], wanted: Iterable[str]) -> dict[str, str]:
    """Close and open stores until they are those of the snapshots wanted; return what failed."""
    for each in stores.keys() - {*wanted}:
        del stores[each]
    faults = {}
    for each in wanted:
        try:
            stores[each] = stores.get(each) or Store.read_only(each)
        except UNOPENED as error:
            faults[each] = str(error)
    return faults


def resident() -> int:
    """Return the bytes of memory this process holds, 0 where that cannot be told."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


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
