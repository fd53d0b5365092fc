"""Drafts: a snapshot in the making, until it is published or thrown away."""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, RdfFormat, Store, Triple, serialize

from thc_graph.rdf import iris
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import in_graph
from thc_graph.store import files
from thc_graph.store.snapshots import claims, seals
from thc_graph.store.snapshots.snapshot import POINTER, Snapshot, ground

BULK = 20_000  # quads from which the engine's bulk loader and a compaction pay
TICK = 1_000_000  # nanoseconds between two snapshots at least
PART = 100_000  # quads given to the bulk loader at once: it holds some 100 MB for so many


class Draft:
    """A snapshot in the making: private, writable, thrown away unless published."""

    def __init__(self, folder: Path, previous: Snapshot | None, *, union: bool = True) -> None:
        self.folder = folder
        self.previous = previous
        self.ground = ground(previous)  # what `previous` was: it may be made again meanwhile
        self.before = previous.store() if previous else None
        self.touched: set[NamedNode] = set()  # subjects whose facts are not those of `previous`
        self.union = union
        self.store = _clone(self.before, self.quads)
        self.fetch: Callable[[], bool] | None = None  # brings what another process built ahead
        self._uncompacted = 0

    @classmethod
    def seen(
        cls, folder: Path, previous: Snapshot | None, touched: Collection[NamedNode], quads: Path
    ) -> "Draft":
        """Return a draft as another process sees it: read-only, with a folder of one's own."""
        draft = cls.__new__(cls)
        draft.folder, draft.previous, draft.touched = folder, previous, set(touched)
        draft.store = Store.read_only(str(quads))
        draft.fetch = None
        return draft

    @property
    def quads(self) -> Path:
        """The engine's folder."""
        return self.folder / "quads"

    def apply(self, change: ChangeSet) -> None:
        """Remove and add quads; with `union`, keep the default graph that of the named ones."""
        for quad in change.removed:
            self.store.remove(quad)
        if self.union:
            gone = [quad for quad in change.removed if not self._stands(quad.triple)]
            for quad in gone:
                self.store.remove(in_graph(quad.triple, DefaultGraph()))
        self._add(change.added)
        self._uncompacted += len(change.added) + len(change.removed)
        self.touched.update(change.subjects())

    def describe(self, nodes: Iterable[NamedNode]) -> Iterator[Triple]:
        """Yield all published facts of some subjects, as they stand in this draft."""
        return facts(self.store, nodes)

    def _stands(self, triple: Triple) -> bool:
        found = self.store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        return any(_is_fact(quad) and quad.graph_name != DefaultGraph() for quad in found)

    def _add(self, quads: Collection[Quad]) -> None:
        if self.union and 2 * len(quads) >= BULK:
            self._load(quads)
            return
        told = filter(_is_fact, quads) if self.union else ()
        self.store.extend(chain(quads, (in_graph(q.triple, DefaultGraph()) for q in told)))

    def _load(self, quads: Collection[Quad]) -> None:
        """Add many quads: as text, which the engine reads in two threads without Python's lock."""
        graphs: dict[NamedNode | BlankNode | DefaultGraph, list[Quad]] = {}
        for quad in quads:
            graphs.setdefault(quad.graph_name, []).append(quad)
        for graph, found in graphs.items():
            for start in range(0, len(found), PART):
                triples = (quad.triple for quad in found[start : start + PART])
                text = serialize(triples, format=RdfFormat.N_TRIPLES)
                assert text is not None
                self.load(text, graph)

    def load(self, triples: bytes, graph: NamedNode | BlankNode | DefaultGraph) -> None:
        """Add N-Triples to a graph and, with `union`, to the default graph."""
        places = {graph} if iris.is_provenance(graph) else {graph, DefaultGraph()}
        read = partial(self.store.bulk_load, triples, RdfFormat.N_TRIPLES, lenient=True)
        with ThreadPoolExecutor(len(places)) as threads:
            for loaded in [threads.submit(read, to_graph=place) for place in places]:
                loaded.result()

    def close(self) -> None:
        """Write everything to disk and let go of the engine; readers may open the folder."""
        self.compact()
        self.store.flush()
        self.let_go()

    def compact(self) -> None:
        """Put in order what was loaded, if it is much: it is read sooner then."""
        if self._uncompacted >= BULK:
            self.store.optimize()
            self._uncompacted = 0

    def let_go(self) -> None:
        """Forget the engines, and with them their locks and the files they would still write."""
        self.before = None
        with suppress(AttributeError):  # closed already
            del self.store


Artefact = Callable[[Draft], None]  # builds what stands in the folder beside the quads


@contextmanager
def drafting(root: Path, previous: Snapshot | None, *, union: bool = True) -> Iterator[Draft]:
    """Give a draft over `previous`; its folder is gone at the end unless it was published."""
    with claims.scratch(root) as folder:
        draft = Draft(folder, previous, union=union)
        try:
            yield draft
        finally:
            draft.let_go()


def publish(root: Path, draft: Draft, commit: str) -> Snapshot:
    """Make a draft that was closed the published snapshot of `commit`, by one rename each."""
    seals.put(draft.folder, draft.previous.path if draft.previous else None)
    snapshot = Snapshot(commit, root / "snapshots" / commit)
    (draft.folder / claims.CLAIM).unlink()  # whoever tidies up holds the lock that we hold
    _date(draft)
    shutil.rmtree(snapshot.path, ignore_errors=True)
    draft.folder.rename(snapshot.path)
    files.sync(snapshot.path.parent)
    files.replace(root / POINTER, commit.encode("ascii"))
    return snapshot


def _date(draft: Draft) -> None:
    """Date a draft after the snapshot it follows, wherever the clock was set meanwhile."""
    if draft.previous is None:
        return
    own, former = (path.stat().st_mtime_ns for path in (draft.folder, draft.previous.path))
    if own <= former:
        os.utime(draft.folder, ns=(former + TICK, former + TICK))


def facts(store: Store, nodes: Iterable[NamedNode]) -> Iterator[Triple]:
    """Yield all published facts of some subjects."""
    for node in nodes:
        for quad in store.quads_for_pattern(node, None, None, DefaultGraph()):
            yield quad.triple


def _is_fact(quad: Quad) -> bool:
    return not iris.is_provenance(quad.graph_name)


def _clone(before: Store | None, folder: Path) -> Store:
    if before is not None:
        before.backup(str(folder))  # hard links: a few milliseconds, no bytes
    return Store(str(folder))
