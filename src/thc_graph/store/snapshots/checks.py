"""Checks: the rules that core SHACL cannot say, as the stored queries of `queries/check/`.

A check selects ?focus ?path ?value; its header gives severity, message and who uses
it ("import", "validate").
"""

from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, QuerySolutions, Store

from thc_graph.rdf.terms import SH
from thc_graph.schema.reports import Violation
from thc_graph.schema.shapes import Text
from thc_graph.store.library import Library, StoredQuery


def broken(store: Store, library: Library) -> Iterator[Violation]:
    """Yield what the checks find in a whole store."""
    for query in _checks(library):
        yield from _found(store, query)


def newly_broken(after: Store, before: Store | None, library: Library) -> list[Violation]:
    """Return what the checks find in one state and did not find in the state before.

    A change of one entity may break a rule about another, so the checks look at all.
    """
    new: list[Violation] = []
    for query in _checks(library):
        found = list(_found(after, query))
        old = set(_found(before, query)) if found and before is not None else set()
        new += [each for each in found if each not in old]
    return new


def _checks(library: Library) -> Iterator[StoredQuery]:
    queries = map(library.get, library.names("check"))
    return (each for each in queries if "import" in each.headers.get("used by", ""))


def _found(store: Store, query: StoredQuery) -> Iterator[Violation]:
    solutions = store.query(query.text)
    assert isinstance(solutions, QuerySolutions)  # a test holds every check to it
    headers = query.headers
    message = Text(headers.get("message fr", ""), headers.get("message en", ""))
    for row in solutions:
        focus, path, value = row["focus"], row["path"], row["value"]
        if isinstance(focus, NamedNode):
            yield Violation(
                focus=focus,
                path=path if isinstance(path, NamedNode) else None,
                value=value if isinstance(value, NamedNode | Literal) else None,
                severity=SH[headers.get("severity", "Violation")],
                message=message,
                shape=None,
            )
