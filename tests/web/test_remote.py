"""The service over a remote engine: the same answers, and honest problems without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyoxigraph import Literal, Quad, RdfFormat, Store, parse

from engines import ENGINES, SHORTFALLS, Endpoint, free_port
from thc_graph.service import Service
from thc_graph.store.mirror import HOLDS, Step, mark, request, union
from thc_graph.web.app import create_app

pytestmark = pytest.mark.anyio

JSON, XML = "application/sparql-results+json", "application/sparql-results+xml"
SELECT = 'SELECT ?x WHERE { VALUES ?x { "é&<" } }'
ASK = "ASK { ?s ?p ?o }"
CONSTRUCT = "CONSTRUCT { ?s a ?o } WHERE { ?s a ?o } LIMIT 3"


@asynccontextmanager
async def visiting(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(service)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


def over(service: Service, address: str, **settings: Any) -> Service:
    changed = replace(service.settings, remote=address, **settings)
    return Service(changed, service.schema, service.library)


def fill(endpoint: Endpoint, service: Service, commit: str) -> None:
    """Hold what the hand-made snapshot holds, and the mark of its commit."""
    base = service.settings.base
    snapshot = service.settings.store / "snapshots" / "c0ffee" / "quads"
    quads = [Quad(*q.triple, union(base)) for q in Store.read_only(str(snapshot))]
    quads.append(Quad(mark(base), HOLDS, Literal(commit), mark(base)))
    update = {"update": request(Step(quad, held=True) for quad in quads)}
    answer = httpx.post(endpoint.update, data=update, auth=endpoint.auth or httpx.Auth())
    assert answer.is_success, answer.text


@pytest.fixture(scope="module", params=ENGINES)
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, service: Service
) -> AsyncIterator[httpx.AsyncClient]:
    with ENGINES[request.param](tmp_path_factory.mktemp(request.param)) as endpoint:
        fill(endpoint, service, "c0ffee")
        async with visiting(over(service, endpoint.query)) as client:
            yield client


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        (SELECT, "*/*", JSON),
        (SELECT, XML, XML),
        (SELECT, "text/csv", "text/csv; charset=utf-8"),
        (SELECT, "text/tab-separated-values", "text/tab-separated-values; charset=utf-8"),
        (ASK, JSON, JSON),
        (ASK, XML, XML),
        (CONSTRUCT, "*/*", "text/turtle; charset=utf-8"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
        (CONSTRUCT, "application/rdf+xml", "application/rdf+xml"),
        (CONSTRUCT, "application/n-triples", "application/n-triples"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_answers(
    client: httpx.AsyncClient, method: str, query: str, accept: str, expected: str
) -> None:
    sent = {"params" if method == "GET" else "data": {"query": query}}
    response = await client.request(method, "/sparql", headers={"Accept": accept}, **sent)
    assert response.status_code == 200
    assert response.headers["content-type"] == expected
    syntax = RdfFormat.from_media_type(expected)
    if query == CONSTRUCT and syntax:
        assert len({*parse(response.content, format=syntax)}) == 3


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"query": "SELECT * WHERE {"}, 400, "QuerySyntaxError"),
        ({"query": "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}, 403, None),
        ({"query": 'SELECT (<bif:http_get>("http://127.0.0.1:9/") AS ?x) {}'}, 403, None),
        ({"update": "CLEAR ALL"}, 403, None),
    ],
)
async def test_refusals(
    client: httpx.AsyncClient, asked: dict[str, str], status: int, code: str | None
) -> None:
    response = await client.get("/sparql", params=asked)
    assert response.status_code == status
    assert response.json()["code"] == (code or "QueryForbidden")


async def test_pages(client: httpx.AsyncClient) -> None:
    for path in ("/", "/doc/commune/68224", "/doc/commune/68224.ttl"):
        response = await client.get(path, headers={"Accept": "text/html, */*"})
        assert response.status_code == 200, path
    assert b"Mulhouse" in response.content
    assert (await client.get("/doc/commune/99999")).status_code == 404


async def test_ready_when_the_engine_holds_the_commit(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200


async def test_behind_is_not_ready(service: Service, tmp_path: Path) -> None:
    with ENGINES["oxigraph"](tmp_path) as endpoint:
        fill(endpoint, service, "older")
        remote = over(service, endpoint.query)
        async with visiting(remote) as client:
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/doc/commune/68224.ttl")).status_code == 200
            assert remote.published.commit == "older"


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("path", ["/doc/commune/68224.ttl", "/sparql?query=ASK%20%7B%7D"])
async def test_an_engine_that_is_down(service: Service, path: str, accept: str) -> None:
    async with visiting(over(service, f"http://127.0.0.1:{free_port()}/secret")) as client:
        response = await client.get(path, headers={"Accept": f"{accept}, */*;q=0.1"})
        assert response.status_code == 502
        assert "secret" not in response.text
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200


def test_shortfalls_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "remote-engines.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for (engine, _), reason in SHORTFALLS.items():
        if engine != "pool":
            assert any(engine in row and f"| {reason} |" in row for row in rows), reason
