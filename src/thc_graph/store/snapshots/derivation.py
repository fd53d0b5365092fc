"""Derived facts: CONSTRUCT files of `queries/derive/`, never typed in, never in history.

Each file `x.rq` fills a graph of its own and has a slot `VALUES ?focus { UNDEF }`;
`touched/x.rq` says which focus nodes a change of some entities touches (slot
`?changed`). Only those are derived again, unless the change is large.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Quad, QuerySolutions, QueryTriples, RdfFormat, Store

from thc_graph.rdf import iris
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import in_graph
from thc_graph.store.library import Library
from thc_graph.store.snapshots.draft import Draft

LARGE = 20_000  # changed entities from which everything is derived again


@dataclass(frozen=True)
class Derivation:
    """The rules of `library`, over graphs named under `base`."""

    library: Library
    base: str

    def names(self) -> Iterator[str]:
        yield from self.library.names("derive")

    def derive(self, draft: Draft, change: ChangeSet, before: Store | None) -> None:
        """Bring the draft's derived facts in step with a change already applied to it."""
        before = before if change.removed else None  # what comes only adds to what is touched
        changed = change.subjects()
        touched = None if len(changed) > LARGE else sorted(changed, key=str)
        for name in self.names():
            focus = self._touched(name, touched, draft, before) if touched is not None else None
            graph = iris.graph(self.base, name)
            if focus is None and _is_empty(draft.store, graph):
                draft.load(self._text(name, draft.store), graph)
            elif focus is None or focus:
                draft.apply(self._change(name, focus, draft))

    def _touched(
        self, name: str, changed: list[NamedNode], draft: Draft, before: Store | None
    ) -> list[NamedNode]:
        text = self.library.fill(name.replace("derive/", "derive/touched/"), changed=changed)
        states = [store for store in (draft.store, before) if store is not None]
        return sorted({node for store in states for node in _focus(store, text)}, key=str)

    def _text(self, name: str, store: Store) -> bytes:
        """Return all that a rule says, as N-Triples."""
        triples = store.query(self.library.get(name).text)
        assert isinstance(triples, QueryTriples)  # a test holds every derive query to it
        return triples.serialize(format=RdfFormat.N_TRIPLES) or b""

    def _change(self, name: str, focus: list[NamedNode] | None, draft: Draft) -> ChangeSet:
        graph = iris.graph(self.base, name)
        text = self.library.fill(name, focus=focus) if focus else self.library.get(name).text
        triples = draft.store.query(text)
        assert isinstance(triples, QueryTriples)  # a test holds every derive query to it
        after = {in_graph(triple, graph) for triple in triples}
        before = set(_quads(draft.store, focus, graph))
        return ChangeSet(removed=frozenset(before - after), added=frozenset(after - before))


def _is_empty(store: Store, graph: NamedNode) -> bool:
    return next(store.quads_for_pattern(None, None, None, graph), None) is None


def _focus(store: Store, text: str) -> Iterable[NamedNode]:
    solutions = store.query(text)
    assert isinstance(solutions, QuerySolutions)
    return [row["focus"] for row in solutions if isinstance(row["focus"], NamedNode)]


def _quads(store: Store, focus: list[NamedNode] | None, graph: NamedNode) -> Iterator[Quad]:
    for node in focus if focus is not None else (None,):
        yield from store.quads_for_pattern(node, None, None, graph)
