"""Updates: what a write at the editors' door changes, and its one way in.

SPARQL 1.1 Update and the Graph Store Protocol both end as a change set, worked out
by a child process (`store.writes.update_child`) against the published snapshot. From there it is
a publication like any other: draft, validation, history, snapshot.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import BlankNode, NamedNode

from thc_graph.errors import (
    EditConflict,
    EditForbidden,
    EditNameless,
    EditRefused,
)
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import PREFIXES
from thc_graph.schema.reports import Violation
from thc_graph.store.engine import guard
from thc_graph.store.history.commits import Commit
from thc_graph.store.writes.permissions import GraphName
from thc_graph.store.writes.repository import Repository
from thc_graph.store.writes.update_process import Desk
from thc_graph.store.writes.update_text import (
    mentioned,
    operation,
    with_dataset,
    without_silent_loads,
)

_GRAPH_SIZE: Final = 256 << 20  # bytes of a graph that is read in one go


@dataclass(frozen=True)
class Condition:
    """What the graph must be for the write to be done: RFC 9110, section 13.2.2.

    Digests, "*" for any graph that is not empty; None where nothing is asked.
    """

    match: Sequence[str] | None = None
    none_match: Sequence[str] | None = None

    def holds(self, digest: str | None) -> bool:
        """Tell whether the writer has the right graph in mind; `digest` None: it is empty."""
        if self.match is not None and not names(self.match, digest):
            return False
        return self.none_match is None or not names(self.none_match, digest)


EMPTY: Final = "empty"  # the digest told of a default graph without triples


def names(digests: Sequence[str], digest: str | None) -> bool:
    """Tell whether one of some digests is a graph's."""
    return digest is not None if "*" in digests else (digest or EMPTY) in digests


@dataclass(frozen=True)
class Edit:
    """One write, as the child understands it; its condition holds of the state it is made upon."""

    request: Mapping[str, Any]
    body: bytes = b""
    condition: Condition = Condition()


@dataclass(frozen=True)
class Written:
    """What came of a write: no commit where it changes nothing."""

    commit: Commit | None
    existed: bool
    warnings: tuple[Violation, ...] = ()


def update(
    text: str, base: str, using: Sequence[str] = (), using_named: Sequence[str] = ()
) -> Edit:
    """Return a SPARQL update; `using` are the protocol's own graphs (section 2.2.3).

    Raises:
        QueryForbidden: It asks for SERVICE, or for LOAD without SILENT.
        QueryTooComplex: It nests or chains too much.
        QuerySyntaxError: It names a dataset of its own beside the protocol's.
    """
    whole = without_silent_loads(text)
    guard.check_update(whole)
    if using or using_named:
        whole = with_dataset(whole, using, using_named)
    parts = {"mentioned": mentioned(whole), "operation": operation(whole)}
    return Edit({"kind": "update", "text": whole, "base": base, **parts})


def write(
    repository: Repository,
    desk: Desk,
    edit: Edit,
    author: str,
    message: str,
    may_write: Callable[[GraphName], bool],
) -> Written:
    """Work out what a write changes, then validate, record and publish it.

    Raises:
        EditForbidden: It touches a graph that this writer may not write.
        EditConflict: The graph is not the one the writer has in mind.
        EditRefused: The state after it breaks rules, or holds blank nodes.
        DocumentError: The document is not in its syntax.
        QueryError: The update is at fault, or went past a limit.
        StoreLocked: Another process is writing.
    """
    existed: list[bool] = []

    def propose() -> ChangeSet:
        result = desk.work(edit.request, edit.body)
        if not edit.condition.holds(result.digest):
            raise EditConflict
        change = result.change()
        _check(change, repository, may_write)
        existed.append(result.digest is not None)
        return change

    outcome = repository.publish(propose, author, message)
    if isinstance(outcome, list):
        raise EditRefused(outcome)
    if outcome is None:
        return Written(None, existed[-1])
    return Written(outcome.commit, existed[-1], outcome.warnings)


def _check(
    change: ChangeSet, repository: Repository, may_write: Callable[[GraphName], bool]
) -> None:
    for graph in {quad.graph_name for quad in (*change.removed, *change.added)}:
        if isinstance(graph, BlankNode):  # nobody could name it again
            raise EditForbidden(str(graph))
        if not may_write(graph):
            raise EditForbidden(graph.value if isinstance(graph, NamedNode) else "default")
    if repository.ruled and (nameless := change.nameless()):
        raise EditNameless(str(nameless.triple))


def read(desk: Desk, graph: str | None, media_type: str) -> tuple[bytes, str | None]:
    """Return a graph (None: the default one) and its digest, None where it is empty."""
    request = {"kind": "get", "graph": graph, "media_type": media_type}
    result = desk.work({**request, "prefixes": PREFIXES, "max_bytes": _GRAPH_SIZE})
    return result.payload, result.digest
