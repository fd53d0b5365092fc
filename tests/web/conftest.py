"""A service over a small hand-made store, in process and as a real server."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pyoxigraph import NamedNode, Quad, RdfFormat, Store, parse

from engines import ENGINES, Endpoint, commit_named
from thc_graph.instance.service import Service, open_service
from thc_graph.instance.settings import Settings, read_settings, resources
from thc_graph.schema.reading import read_schema
from thc_graph.store.library import Library
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app
from visiting import visiting

ALL = NamedNode("https://data.thc.example/graph/all")
SOME = NamedNode("https://data.thc.example/graph/some")
SHARED = 5  # triples that stand in both graphs
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def publish(folder: Path) -> Callable[..., None]:
    """Give a function that publishes the small data as a commit, with more triples if given."""

    def write(name: str, more: str = "") -> None:
        commit = commit_named(name)
        snapshot = folder / "snapshots" / commit
        snapshot.mkdir(parents=True)
        store = Store(str(snapshot / "quads"))
        text = (FIXTURES / "data" / "small.ttl").read_text("utf-8") + more
        triples = [quad.triple for quad in parse(text, format=RdfFormat.TURTLE)]
        for graph, held in ((None, triples), (ALL, triples), (SOME, triples[:SHARED])):
            store.extend(Quad(*triple, graph) for triple in held)
        store.flush()
        del store
        (folder / "CURRENT").write_text(commit, "ascii")

    return write


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    return Settings(folder, demonstration=True, workers=1, refresh_seconds=3600)


@pytest.fixture(scope="module")
def service(settings: Settings, publish: Callable[..., None]) -> Service:
    publish("first")
    schema = read_schema(FIXTURES / "schema")
    return Service(settings, schema, Library(resources().queries_folder))


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Endpoint]]:
    """Give a function that starts a real engine by its name, once for all who ask."""
    started: dict[str, Endpoint] = {}
    with ExitStack() as stack:

        def start(name: str) -> Endpoint:
            if name not in started:
                folder = tmp_path_factory.mktemp(name)
                started[name] = stack.enter_context(ENGINES[name](folder))
            return started[name]

        yield start


@pytest.fixture(scope="module")
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with visiting(service) as client:
        yield client


@pytest.fixture(scope="module")
async def demo_client(demo: Repository) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the demonstration instance."""
    async with visiting(open_service(read_settings(demo.root))) as client:
        yield client


@pytest.fixture(scope="module")
def limited(service: Service) -> Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]:
    """Give a function that opens the same store with other limits."""

    def narrow(**limits: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        settings = replace(service.settings, **limits)
        return visiting(Service(settings, service.schema, service.library))

    return narrow


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """Serve for real, since only a real connection can be hung up."""
    app = create_app(Service(service.settings, service.schema, service.library))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", server_header=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    (host, port), *_ = (each.getsockname() for each in server.servers[0].sockets)
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join()
