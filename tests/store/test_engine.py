"""What any engine promises: bytes in a syntax that was asked for, or a named refusal."""

import asyncio
from pathlib import Path

import pytest
from pyoxigraph import Store

from thc_graph.errors import QueryNotAcceptable, QuerySyntaxError
from thc_graph.store.engine import Answer, Engine, Query
from thc_graph.store.pool import Pool

BINDINGS = ("text/csv", "application/sparql-results+json")
GRAPH = ("application/n-triples",)
ANY = (*BINDINGS, *GRAPH)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engine")
    store = Store(folder / "store")
    store.update("INSERT DATA { <a:s> <a:p> 1, 2 GRAPH <a:g> { <a:s> <a:p> 3 } }")
    store.backup(folder / "snapshot")
    return folder / "snapshot"


def ask(snapshot: Path, query: Query) -> tuple[Answer, bytes]:
    async def once() -> tuple[Answer, bytes]:
        pool = Pool(snapshot, 1)
        engine: Engine = pool
        await pool.start()
        try:
            answer = await engine.answer(query)
            return answer, await answer.read()
        finally:
            await pool.stop()

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("text", "media_types", "media_type", "body"),
    [
        ("SELECT ?o { ?s ?p ?o } ORDER BY ?o", ANY, "text/csv", b"o\r\n1\r\n2\r\n"),
        ("ASK {}", (*GRAPH, *BINDINGS[1:]), BINDINGS[1], b'{"head":{},"boolean":true}'),
        ("CONSTRUCT { ?s a ?p } { ?s ?p 1 }", ANY, GRAPH[0], None),
        ("DESCRIBE <a:s>", ANY, GRAPH[0], None),
        ("SELECT ?o { GRAPH ?g { ?s ?p ?o } }", ANY, "text/csv", b"o\r\n3\r\n"),
        ("SELECT ?o FROM <a:g> { ?s ?p ?o }", ANY, "text/csv", b"o\r\n3\r\n"),
    ],
)
def test_an_answer_is_bytes_in_a_type_asked_for(
    snapshot: Path, text: str, media_types: tuple[str, ...], media_type: str, body: bytes | None
) -> None:
    answer, found = ask(snapshot, Query(text, media_types, 10))
    assert (answer.media_type, answer.truncated) == (media_type, False)
    assert found == body if body is not None else found.endswith(b" .\n")


def test_the_graphs_of_the_request_win_over_those_of_the_text(snapshot: Path) -> None:
    text = "SELECT ?o FROM <a:other> { ?s ?p ?o }"
    _, body = ask(snapshot, Query(text, BINDINGS, 10, default_graphs=("a:g",)))
    assert body == b"o\r\n3\r\n"


def test_a_graph_asked_as_bindings_is_not_acceptable(snapshot: Path) -> None:
    with pytest.raises(QueryNotAcceptable) as refusal:
        ask(snapshot, Query("DESCRIBE <a:s>", BINDINGS, 10))
    assert "text/turtle" in refusal.value.offered


@pytest.mark.parametrize("text", ["SELECT * {\n ?s ?p", "INSERT DATA { <a:s> <a:p> 4 }", ""])
def test_what_is_no_query_is_a_syntax_error(snapshot: Path, text: str) -> None:
    with pytest.raises(QuerySyntaxError) as refusal:
        ask(snapshot, Query(text, ANY, 10))
    assert refusal.value.line == text.count("\n") + 1
    assert refusal.value.column is not None
