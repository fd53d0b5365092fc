"""Mirror: the published graph kept in step in an engine elsewhere, through SPARQL 1.1 Update.

The engine holds every published quad in its own graph, and its triple once more in
a graph for their union: an engine's own union may return a triple twice, and not
every engine has a default graph that can be written. One more graph, the mark,
says which commit is held and which one is on its way.

What is sent is a set of quads, each deleted or inserted according to whether the
target holds it; sending one twice changes nothing. So a push that was interrupted
is finished by the next one, whatever was published meanwhile.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Final, NamedTuple

import httpx
from pyoxigraph import (
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    QuerySolutions,
    Store,
    parse_query_results,
)

from thc_graph.errors import RemoteRefused, StoreMissing
from thc_graph.rdf import iris
from thc_graph.rdf.terms import VOCABULARY, in_graph
from thc_graph.store.engine.remote import Dataset
from thc_graph.store.library import Library
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes.repository import Repository

BATCH: Final = 500  # quads a request: Virtuoso's parser is out of memory before 5 000 triples
SECONDS: Final = 120.0  # for one request
HOLDS: Final = NamedNode(VOCABULARY + "mirror#holds")
COMING: Final = NamedNode(VOCABULARY + "mirror#coming")
JSON: Final = "application/sparql-results+json"


class Held(NamedTuple):
    """What the engine says it holds: a commit, and others on their way."""

    commit: str | None = None
    coming: frozenset[str] = frozenset()  # several, where one push after another broke off


class Step(NamedTuple):
    """One quad, and whether the engine is to hold it."""

    quad: Quad
    held: bool


def mark(base: str) -> NamedNode:
    return iris.graph(base, "mirror")


def union(base: str) -> NamedNode:
    return iris.graph(base, "union")


def dataset(base: str, store: Store) -> Dataset:
    """Return the dataset of the public endpoint, as the engine names it."""
    names = (graph.value for graph in store.named_graphs() if isinstance(graph, NamedNode))
    return Dataset(union(base).value, tuple(sorted(names)), mark(base).value)


def held(content: bytes) -> Held:
    """Read the JSON results of `queries/remote/held.rq`."""
    found = parse_query_results(content, format=QueryResultsFormat.JSON)
    assert isinstance(found, QuerySolutions)  # it is a SELECT
    said = [(row["property"], row["commit"].value) for row in found]
    commit = next((commit for name, commit in said if name == HOLDS), None)
    return Held(commit, frozenset(commit for name, commit in said if name == COMING))


@dataclass
class Mirror:
    """An engine that follows the graphs under `base`, by its query and update addresses.

    `close` it at the end.
    """

    query: str
    update: str
    base: str
    library: Library
    auth: httpx.Auth | None = None  # of the update address
    query_auth: httpx.Auth | None = None
    _client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=SECONDS, trust_env=False), repr=False
    )

    def close(self) -> None:
        self._client.close()

    def held(self) -> Held:
        """Ask the engine what it holds.

        Raises:
            RemoteRefused: It is down, or gave no answer that can be read.
        """
        sent = {
            "query": self.library.get("remote/held").text,
            "default-graph-uri": mark(self.base).value,
        }
        content = self._post(self.query, sent, self.query_auth)
        try:
            return held(content)
        except (SyntaxError, UnicodeDecodeError) as fault:
            raise RemoteRefused(f"no bindings: {fault}") from fault

    def follow(self, repository: Repository) -> Iterator[int]:
        """Bring the engine to the published commit, yielding the quads sent so far.

        The caller holds the store's lock: a commit must not come in between.

        Raises:
            RemoteRefused: The engine is down or refuses; what it holds is still marked.
            StoreMissing: Nothing was ever published here.
        """
        target = repository.current()
        if target is None:
            raise StoreMissing(str(repository.root))
        former = self.held()
        if former == Held(target.commit):
            return
        if not _known(repository, former):
            self._forget()
            former = Held()
        yield from self._send(repository, former, target)

    def _send(self, repository: Repository, former: Held, target: Snapshot) -> Iterator[int]:
        store, sent = target.store(), 0
        steps = _steps(repository, former, target)
        on_its_way = Held(former.commit, former.coming | {target.commit})
        self._change(self._marks(former, on_its_way))
        while batch := [*islice(steps, BATCH)]:
            self._change(each for step in batch for each in self._both(step, store))
            sent += len(batch)
            yield sent
        self._change(self._marks(on_its_way, Held(target.commit)))

    def _both(self, step: Step, target: Store) -> Iterator[Step]:
        """Yield a step for the quad's own graph and one for the union."""
        yield step
        alone = in_graph(step.quad.triple, DefaultGraph())
        yield Step(in_graph(alone.triple, union(self.base)), held=alone in target)

    def _marks(self, former: Held, held: Held) -> Iterator[Step]:
        graph = mark(self.base)
        for state, wanted in ((former, False), (held, True)):
            said = [(HOLDS, state.commit), *((COMING, commit) for commit in state.coming)]
            for name, commit in said:
                if commit is not None:
                    yield Step(Quad(graph, name, Literal(commit), graph), wanted)

    def _forget(self) -> None:
        """Empty every graph under our base: the engine holds what our history does not know."""
        content = self._post(
            self.query, {"query": self.library.get("remote/graphs").text}, self.query_auth
        )
        found = parse_query_results(content, format=QueryResultsFormat.JSON)
        assert isinstance(found, QuerySolutions)  # it is a SELECT
        ours = f"{self.base}/graph/"
        for row in found:
            graph = row["graph"]
            if isinstance(graph, NamedNode) and graph.value.startswith(ours):
                self._post(self.update, {"update": f"CLEAR GRAPH {graph}"}, self.auth)

    def _change(self, steps: Iterable[Step]) -> None:
        self._post(self.update, {"update": request(steps)}, self.auth)

    def _post(self, address: str, form: dict[str, str], auth: httpx.Auth | None) -> bytes:
        try:
            response = self._client.post(
                address, data=form, headers={"Accept": JSON}, auth=auth or httpx.Auth()
            )
        except httpx.HTTPError as fault:
            raise RemoteRefused(f"{address}: {fault}") from fault
        if not response.is_success:
            raise RemoteRefused(f"{address}: {response.status_code} {response.text[:300]}")
        return response.content


def request(steps: Iterable[Step]) -> str:
    """Return one SPARQL 1.1 Update of DELETE DATA and INSERT DATA: serialised terms in a frame.

    A quad that several steps name ends as the last one says.
    """
    last = {step.quad: step.held for step in steps}
    parts = (
        _data("DELETE DATA", (quad for quad, held in last.items() if not held)),
        _data("INSERT DATA", (quad for quad, held in last.items() if held)),
    )
    return " ;\n".join(part for part in parts if part)


def _data(verb: str, quads: Iterable[Quad]) -> str:
    by_graph = groupby(sorted(quads, key=_graph_name), _graph_name)
    blocks = [
        f"GRAPH {graph} {{ {' '.join(f'{quad.triple} .' for quad in group)} }}"
        for graph, group in by_graph
    ]
    return f"{verb} {{ {' '.join(blocks)} }}" if blocks else ""


def _graph_name(quad: Quad) -> str:
    return str(quad.graph_name)


def _known(repository: Repository, former: Held) -> bool:
    """Say whether history knows the commits; a purge makes it forget some."""
    unknown = {former.commit, *former.coming} - {None}
    commits = repository.history.log()
    while unknown and (commit := next(commits, None)):
        unknown.discard(commit.id)
    return not unknown


def _steps(repository: Repository, former: Held, target: Snapshot) -> Iterator[Step]:
    """Yield all quads in which the engine may differ from the target."""
    store = target.store()
    if former.commit is None and former.coming <= {target.commit}:
        yield from (Step(quad, held=True) for quad in store if quad.graph_name != DefaultGraph())
        return
    touched = _recorded(repository, former.commit) | _derived(repository, former, store)
    for quad in sorted(touched, key=str):
        yield Step(quad, held=quad in store)


def _recorded(repository: Repository, commit: str | None) -> set[Quad]:
    """Return the quads that the commits after one removed or added."""
    touched: set[Quad] = set()
    for each in repository.history.log():
        if each.id == commit:
            break
        change = repository.history.change(each.id)
        touched |= change.removed | change.added
    return touched


def _derived(repository: Repository, former: Held, target: Store) -> set[Quad]:
    """Return the derived quads in which a former state differs from the target."""
    wanted = _derived_quads(repository, target)
    differing: set[Quad] = set() if former.commit else wanted
    for commit in {former.commit, *former.coming}:
        if commit is None:
            continue
        with _state(repository, commit) as store:
            differing |= wanted ^ _derived_quads(repository, store)
    return differing


def _derived_quads(repository: Repository, store: Store) -> set[Quad]:
    derivation = repository.derivation
    graphs = [iris.graph(derivation.base, name) for name in derivation.names()]
    return {quad for graph in graphs for quad in store.quads_for_pattern(None, None, None, graph)}


@contextmanager
def _state(repository: Repository, commit: str) -> Iterator[Store]:
    """Give a commit's state: its snapshot while that is kept, else made again from history."""
    kept = Snapshot(commit, repository.root / "snapshots" / commit)
    if kept.path.exists():
        yield kept.store()
    else:
        with repository.rebuilt(commit) as draft:
            yield draft.store
