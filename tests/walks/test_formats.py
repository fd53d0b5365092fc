"""Every format of an entity holds the same triples, and so does its page's language.

One entity of every class of the demonstration instance, and two hundred at random. Published
data hold no blank node, so two graphs are isomorphic when they are equal as sets.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pyoxigraph import DefaultGraph, NamedNode, Store, parse

from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.rdf import iris
from thc_graph.rdf.formats import GRAPH_FORMATS
from thc_graph.rdf.terms import A
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app

BASE = "https://data.thc.example"
MANY = 200
SYNTAXES = {form.media_type: form.syntax for form in GRAPH_FORMATS}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def visitor(demo: Repository) -> AsyncIterator[httpx.AsyncClient]:
    service = open_service(read_settings(demo.root))
    await service.start()
    transport = httpx.ASGITransport(create_app(service))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client
    finally:
        await service.stop()


def sample(store: Store, demo: Repository) -> list[str]:
    """Return the path of one entity of every class that has a kind."""
    paths = []
    for class_ in demo.schema.classes:
        for quad in store.quads_for_pattern(None, A, class_, DefaultGraph()):
            assert isinstance(quad.subject, NamedNode)
            place = iris.kind_and_key(quad.subject.value, BASE)
            if place:
                paths.append(f"/id/{place[0]}/{place[1]}")
                break
    return sorted(set(paths))


def some(store: Store, seed: int) -> list[str]:
    """Return the paths of so many random entities that a kind names."""
    named = {quad.subject.value for quad in store.quads_for_pattern(None, A, None, DefaultGraph())}
    places = filter(None, (iris.kind_and_key(iri, BASE) for iri in sorted(named)))
    return [f"/doc/{kind}/{key}" for kind, key in random.Random(seed).sample([*places], MANY)]


@pytest.mark.anyio
@pytest.mark.parametrize("chosen", ["one of every class", "random ones"])
async def test_formats_are_isomorphic(demo: Repository, demo_store: Store, chosen: str) -> None:
    seed = random.randrange(2**32)  # in the message of a failure, to run again
    paths = sample(demo_store, demo) if chosen != "random ones" else some(demo_store, seed)
    assert len(paths) > 30
    async with visitor(demo) as client:
        for path in paths:
            graphs = {}
            for media_type, syntax in SYNTAXES.items():
                answer = await client.get(
                    path, headers={"Accept": media_type}, follow_redirects=True
                )
                assert answer.status_code == 200, (path, media_type, answer.text[:200])
                assert answer.headers["content-type"].startswith(media_type)
                graphs[media_type] = {quad.triple for quad in parse(answer.content, format=syntax)}
            first, *others = graphs.values()
            assert first, (path, seed)
            assert all(other == first for other in others), (path, seed)


@pytest.mark.anyio
async def test_pages_of_every_class_open_in_french(demo: Repository, demo_store: Store) -> None:
    async with visitor(demo) as client:
        for path in sample(demo_store, demo):
            headers = {"Accept": "text/html", "Accept-Language": "fr"}
            answer = await client.get(path, headers=headers, follow_redirects=True)
            assert answer.status_code == 200, path
            assert '<html lang="fr"' in answer.text
            assert answer.text.count("<h1") == 1
            assert "Instance de démonstration" in answer.text
