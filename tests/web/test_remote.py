"""What is a remote engine's own: what it is not asked, and honest problems without it.

What the service answers over one stands with what it answers over the pool, in test_sparql.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from engines import EACH, ENGINES, PUBLISHED, SHORTFALLS, Endpoint, free_port
from thc_graph.instance.service import Service
from thc_graph.store.engine import backed
from thc_graph.store.engine.engine import Query
from visiting import fill, over, visiting

pytestmark = pytest.mark.anyio
COUNT = "/sparql?query=SELECT%20(COUNT(*)%20AS%20%3Fn)%20%7B%3Fs%20%3Fp%20%3Fo%7D&format=json"


@pytest.fixture(scope="module", params=EACH)
async def client(
    request: pytest.FixtureRequest, service: Service, endpoint: Callable[[str], Endpoint]
) -> AsyncIterator[httpx.AsyncClient]:
    engine = endpoint(request.param)
    fill(engine, service, PUBLISHED)
    async with visiting(over(service, engine.query)) as client:
        yield client


async def test_an_engine_s_own_procedures_are_not_called(client: httpx.AsyncClient) -> None:
    asked = {"query": 'SELECT (<bif:http_get>("http://127.0.0.1:9/") AS ?x) {}'}
    response = await client.get("/sparql", params=asked)
    assert (response.status_code, response.json()["code"]) == (403, "QueryForbidden")


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
            for path in ("/doc/commune/68224.ttl", "/", COUNT):
                response = await client.get(path)
                assert response.status_code == 200, path
                assert "etag" not in response.headers
                assert response.headers["cache-control"] == "no-store"
            assert remote.published.commit == "older"
            assert not sum(map(len, remote.published.caches))
            assert not remote.published.made


async def test_an_empty_engine_is_filled_while_it_is_asked(
    service: Service, tmp_path: Path
) -> None:
    with ENGINES["oxigraph"](tmp_path) as endpoint:
        remote = over(service, endpoint.query)
        async with visiting(remote) as client:
            assert (await client.get(COUNT)).json()["results"]["bindings"][0]["n"]["value"] == "0"
            assert "Mulhouse" in (await client.get("/doc/commune/68224.ttl")).text
            fill(endpoint, service, PUBLISHED)
            await remote.refresh()
            first = await client.get(COUNT)
            assert first.json()["results"]["bindings"][0]["n"]["value"] != "0"
            assert "etag" in first.headers
            remote.published.doubt(is_behind=True)
            remote.published.doubt(is_behind=False)
            assert (await client.get(COUNT)).headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_an_engine_that_is_down(service: Service, accept: str) -> None:
    async with visiting(over(service, f"http://127.0.0.1:{free_port()}/secret")) as client:
        headers = {"Accept": f"{accept}, */*;q=0.1"}
        response = await client.get("/sparql?query=ASK%20%7B%7D", headers=headers)
        assert response.status_code == 502
        assert "secret" not in response.text
        for path in ("/", "/doc/commune/68224", "/doc/commune/68224.ttl"):
            page = await client.get(path, headers={"Accept": "text/html, */*"})
            assert page.status_code == 200, path
            assert "etag" not in page.headers
        assert "Mulhouse" in page.text


async def test_pages_outlive_an_engine(service: Service, tmp_path: Path) -> None:
    with ENGINES["oxigraph"](tmp_path) as endpoint:
        fill(endpoint, service, PUBLISHED)
        remote = over(service, endpoint.query)
        context = visiting(remote)
        client = await context.__aenter__()
        assert not remote.published.is_behind
    try:  # between its end and the moment we know
        assert (await client.get("/doc/commune/68224.ttl")).status_code == 200
        await remote.refresh()
        assert remote.published.is_behind
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200
    finally:
        await context.__aexit__(None, None, None)


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[str, list[str]]]:
    """Give an engine that takes questions and answers none, and the lines it was sent."""
    asked: list[str] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked.extend([line.decode()] if b"HTTP/1.1" in line else [])
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"http://{host}:{port}/sparql", asked
        server.close()


async def test_an_engine_that_says_nothing_is_left_alone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first page waits once; then one question in a while tells whether it is back."""
    async with silent() as (address, asked):
        remote = over(service, address, seconds=0.5)
        async with visiting(remote) as client:
            remote.published.doubt(is_behind=False)
            assert (await client.get("/doc/commune/68224.ttl")).status_code == 200
            once = len(asked)
            for path in ("/doc/commune/68224.nt", "/doc/commune/68224.rdf", "/voc?lang=en"):
                assert (await client.get(path)).status_code == 200
            assert len(asked) == once
            monkeypatch.setattr(backed, "PAUSE", 0.0)
            engine = remote.published.pool
            assert isinstance(engine, backed.Backed)
            engine._again = 1e-9  # its pause is over
            query = Query("ASK {}", ("application/sparql-results+json",), 0.5)
            answers = [engine.answer(query, "pages") for _ in range(5)]
            for each in await asyncio.gather(*answers):
                assert b"true" in await each.read()
            assert len(asked) == once + 1


def test_shortfalls_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "remote-engines.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for (engine, _), reason in SHORTFALLS.items():
        if engine != "pool":
            assert any(engine in row and f"| {reason} |" in row for row in rows), reason
