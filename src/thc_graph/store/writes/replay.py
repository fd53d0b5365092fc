"""Replay: the history played again, and a snapshot held to it, quad by quad."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import DefaultGraph, Quad

from thc_graph.errors import HistoryCorrupt, StoreUnsound
from thc_graph.rdf import iris
from thc_graph.store.snapshots.snapshot import Snapshot

if TYPE_CHECKING:
    from thc_graph.store.writes.repository import Repository


@dataclass(frozen=True)
class Comparison:
    """How many recorded quads a snapshot has, lacks, or has too many."""

    quads: int
    lacking: int
    extra: int

    @property
    def is_equal(self) -> bool:
        return not (self.lacking or self.extra)


def compare(repository: "Repository", snapshot: Snapshot) -> Comparison:
    """Hold a snapshot to the history up to its commit; derived facts are not looked at.

    Raises:
        HistoryCorrupt: A commit is harmed.
        StoreUnsound, OSError, RuntimeError: The snapshot cannot be read.
    """
    expected = repository.history.state(snapshot.commit)
    derivation = repository.derivation
    derived = {iris.graph(derivation.base, name) for name in derivation.names()}
    found = extra = 0
    for quad in _recorded(snapshot, expected):
        if quad in expected:
            found += 1
        elif quad.graph_name not in derived:
            extra += 1
    return Comparison(found, len(expected) - found, extra)


def is_equal(repository: "Repository", snapshot: Snapshot) -> bool:
    """Tell whether a snapshot can be read, and holds what the history says.

    Raises:
        HistoryCorrupt: A commit is harmed.
    """
    try:
        return compare(repository, snapshot).is_equal
    except HistoryCorrupt:
        raise
    except (OSError, RuntimeError, StoreUnsound):
        return False


def _recorded(snapshot: Snapshot, expected: Collection[Quad]) -> Iterator[Quad]:
    """Yield the snapshot's quads, but those of a default graph that is only a union."""
    is_own = any(quad.graph_name == DefaultGraph() for quad in expected)
    for quad in snapshot.store():
        if is_own or quad.graph_name != DefaultGraph():
            yield quad
