"""A real engine follows the publications: exactly, from any state, and twice is once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse

import stores
from engines import EACH, ENGINES, Endpoint
from thc_graph.errors import RemoteRefused
from thc_graph.instance.settings import resources
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import SKOS, A
from thc_graph.schema.reading import read_schema
from thc_graph.schema.validation import Accepted, accept
from thc_graph.store.library import Library
from thc_graph.store.snapshots.derivation import Derivation
from thc_graph.store.writes.mirror import BATCH, Held, Mirror, Step, mark, request, union
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long

BASE = "https://data.thc.example"
GRAPH, OTHER = NamedNode(f"{BASE}/graph/a/b"), NamedNode(f"{BASE}/graph/a/c")
LIBRARY = Library(resources().queries_folder)


def thing(number: int, text: str, graph: NamedNode = GRAPH) -> Quad:
    return Quad(NamedNode(f"{BASE}/id/x/{number}"), SKOS["note"], Literal(text), graph)


FIRST = [thing(n, f'n° {n} "\\\n\té', GRAPH) for n in range(2 * BATCH)]
FIRST += [thing(n, f'n° {n} "\\\n\té', OTHER) for n in range(20)]  # in two graphs
FIRST.append(Quad(NamedNode(f"{BASE}/id/x/0"), A, SKOS["Concept"], GRAPH))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    found = resources()
    schema = read_schema(found.ontology_folder, found.shapes_folder)
    folder = tmp_path_factory.mktemp("published")
    repository = Repository(folder / "store", schema, Derivation(LIBRARY, BASE))
    publish(repository, added=FIRST)
    return repository


@pytest.fixture
def repository(published: Repository, tmp_path: Path) -> Repository:
    return stores.copied(published, tmp_path)


def publish(repository: Repository, added: list[Quad] = (), removed: list[Quad] = ()) -> str:
    change = ChangeSet(frozenset(removed), frozenset(added))
    accepted = accept(change, [])
    assert isinstance(accepted, Accepted)
    with repository.writing() as writer, repository.draft(change) as draft:
        return writer.publish(draft, accepted, "tests", "a change").id


@pytest.fixture(scope="module", params=EACH)
def endpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture
def mirror(endpoint: Endpoint) -> Iterator[Mirror]:
    """Give a mirror over an engine that holds nothing of ours, and one triple of another's."""
    found = Mirror(endpoint.query, endpoint.update, BASE, LIBRARY, endpoint.auth)
    found._forget()
    found._post(endpoint.update, {"update": request([Step(THEIRS, held=True)])}, found.auth)
    yield found
    found.close()


THEIRS = Quad(NamedNode("urn:their"), A, SKOS["Concept"], NamedNode("urn:theirs"))


def triples(mirror: Mirror, graph: NamedNode) -> set[Triple]:
    asked = {"query": "CONSTRUCT WHERE { ?s ?p ?o }", "default-graph-uri": graph.value}
    headers = {"Accept": "application/n-triples"}
    answer = httpx.post(mirror.query, data=asked, headers=headers, timeout=60)
    return {quad.triple for quad in parse(answer.content, format=RdfFormat.N_TRIPLES)}


def check_whole(mirror: Mirror, repository: Repository) -> None:
    """Hold the engine to the published snapshot, graph by graph."""
    snapshot = repository.current()
    assert snapshot
    store = snapshot.store()
    for graph in (DefaultGraph(), *store.named_graphs()):
        ours = {quad.triple for quad in store.quads_for_pattern(None, None, None, graph)}
        name = union(BASE) if graph == DefaultGraph() else graph
        assert triples(mirror, name) == ours, name
    assert mirror.held() == Held(snapshot.commit)
    assert triples(mirror, NamedNode("urn:theirs")) == {THEIRS.triple}


def test_an_empty_engine_is_filled_once(mirror: Mirror, repository: Repository) -> None:
    assert mirror.held() == Held()
    sent = [*mirror.follow(repository)]
    assert len(sent) > 1
    check_whole(mirror, repository)
    assert [*mirror.follow(repository)] == []


def test_a_change_is_all_that_is_sent(mirror: Mirror, repository: Repository) -> None:
    [*mirror.follow(repository)]
    publish(repository, added=[thing(0, "new")], removed=FIRST[:2] + FIRST[-3:-1])
    (sent,) = mirror.follow(repository)
    assert sent < 20
    check_whole(mirror, repository)


STOPS: dict[str, Callable[[Mirror, Repository], object]] = {
    "filling": lambda mirror, repository: next(mirror.follow(repository)),
    "changing": lambda mirror, repository: (
        [*mirror.follow(repository)],
        publish(repository, removed=FIRST[: BATCH + 100]),
        next(mirror.follow(repository)),
    ),
    "changing twice": lambda mirror, repository: (
        STOPS["changing"](mirror, repository),
        publish(repository, added=[thing(n, "again") for n in range(2 * BATCH)]),
        next(mirror.follow(repository)),
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_what_was_interrupted_is_finished(
    mirror: Mirror, repository: Repository, stop: str
) -> None:
    STOPS[stop](mirror, repository)
    assert mirror.held().coming
    publish(repository, added=FIRST[:10] if stop != "filling" else [thing(1, "more")])
    [*mirror.follow(repository)]
    check_whole(mirror, repository)


def test_a_state_long_gone_is_made_again_from_history(
    mirror: Mirror, repository: Repository
) -> None:
    [*mirror.follow(repository)]
    for n in range(5):  # more than there are snapshots kept
        publish(repository, added=[thing(n, "one of five")], removed=[FIRST[n]])
    [*mirror.follow(repository)]
    check_whole(mirror, repository)


def test_what_history_does_not_know_is_erased(mirror: Mirror, repository: Repository) -> None:
    erased = thing(1, "erased by law")
    left = [Step(erased, held=True), *mirror._marks(Held(), Held("f" * 64))]
    mirror._change(left)
    [*mirror.follow(repository)]
    check_whole(mirror, repository)


def test_an_engine_that_is_down_leaves_the_publication_standing(repository: Repository) -> None:
    gone = Mirror("http://127.0.0.1:9/query", "http://127.0.0.1:9/update", BASE, LIBRARY)
    with pytest.raises(RemoteRefused):
        [*gone.follow(repository)]
    gone.close()


def test_the_last_word_on_a_quad_counts() -> None:
    quad = Quad(mark(BASE), A, SKOS["Concept"], GRAPH)
    assert request([Step(quad, held=False), Step(quad, held=True)]).startswith("INSERT DATA")
    assert request([]) == ""
