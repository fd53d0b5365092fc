"""What is asked most is ready when a publication is served, and nobody waits for it meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

import httpx
import pytest

from thc_graph.instance.service import Service
from thc_graph.web.serving import warming
from thc_graph.web.serving.warming import KNOWN, LONGEST, Warmth

pytestmark = pytest.mark.anyio

MULHOUSE = "/doc/commune/68224"
HTML = {"Accept": "text/html"}
NUMBERS = count()


@pytest.fixture
async def client(
    limited: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> AsyncIterator[httpx.AsyncClient]:
    async with limited() as client:
        yield client


@pytest.fixture
def told(publish: Callable[..., None]) -> Callable[[], str]:
    """Give a function that publishes a new name of the town, and returns it."""

    def tell() -> str:
        name = f"Mulhouse {next(NUMBERS)}"
        publish(name, f'<commune/68224> <http://www.w3.org/2004/02/skos/core#altLabel> "{name}" .')
        return name

    return tell


def parts(client: httpx.AsyncClient) -> tuple[Service, Warmth]:
    state: Any = client._transport.app.state  # type: ignore[attr-defined]
    return state.service, state.warmth


async def ask(client: httpx.AsyncClient, path: str, times: int = 2, **headers: str) -> str:
    for _ in range(times):
        answer = await client.get(path, headers=HTML | headers)
    return answer.text


async def test_what_is_asked_most_is_ready(
    client: httpx.AsyncClient, told: Callable[[], str]
) -> None:
    service, warmth = parts(client)
    await ask(client, MULHOUSE)
    await ask(client, f"{MULHOUSE}.ttl")
    await ask(client, "/commune", times=1)
    name = told()
    assert await service.refresh(warmth.make)
    published = service.published
    assert (len(published.pages), len(published.packed)) == (2, 2)
    for path in (MULHOUSE, f"{MULHOUSE}.ttl"):
        answer = await client.get(path, headers=HTML)
        assert name in answer.text
        assert answer.headers["content-encoding"]
    assert (len(published.pages), len(published.packed)) == (2, 2)
    assert published.readers == 0


async def test_what_is_ready_is_what_would_have_been_made(
    client: httpx.AsyncClient, told: Callable[[], str]
) -> None:
    service, warmth = parts(client)
    paths = ["/", MULHOUSE, f"{MULHOUSE}.jsonld", "/commune", "/commune?q=mul", "/recherche?q=mul"]
    for path in paths:
        await ask(client, path)
    told()
    await service.refresh(warmth.make)
    ready = [await client.get(path, headers=HTML) for path in paths]
    for kept in (service.published.made, *service.published.caches):
        kept.clear()
    for path, answer in zip(paths, ready, strict=True):
        made = await client.get(path, headers=HTML)
        assert (made.text, made.headers["etag"]) == (answer.text, answer.headers["etag"])


async def test_others_read_the_former_publication_meanwhile(
    client: httpx.AsyncClient, told: Callable[[], str]
) -> None:
    service, _ = parts(client)
    name, inside, over = told(), asyncio.Event(), asyncio.Event()
    seen = []

    async def prepare() -> None:
        seen.append(name in await ask(client, MULHOUSE))
        inside.set()
        await over.wait()
        seen.append(name in await ask(client, MULHOUSE))

    opening = asyncio.create_task(service.refresh(prepare))
    await inside.wait()
    assert name not in await ask(client, MULHOUSE)
    assert name not in await ask(client, f"{MULHOUSE}.ttl")
    over.set()
    assert await opening
    assert seen == [True, True]
    assert name in await ask(client, MULHOUSE)


async def test_a_preparation_that_is_stopped_leaves_the_former_publication(
    client: httpx.AsyncClient, told: Callable[[], str]
) -> None:
    service, _ = parts(client)
    former, name, inside = service.published, told(), asyncio.Event()

    async def prepare() -> None:
        inside.set()
        await asyncio.Event().wait()

    opening = asyncio.create_task(service.refresh(prepare))
    await inside.wait()
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert service.published is former
    assert name not in await ask(client, MULHOUSE)
    assert await service.refresh()
    assert name in await ask(client, MULHOUSE)


async def test_a_publication_waits_for_a_moment_only(
    client: httpx.AsyncClient, told: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, warmth = parts(client)
    await ask(client, MULHOUSE)
    monkeypatch.setattr(warming, "PATIENCE", 0.0)
    name = told()
    assert await service.refresh(warmth.make)
    assert len(service.published.pages) == 0
    assert name in await ask(client, MULHOUSE)


@pytest.mark.parametrize(
    "path",
    [
        "/sparql?query=ASK%7B%7D",  # whose time is its client's
        "/commune.csv",  # a file, which takes its time and is kept on disk
        "/doc/commune/00000",
        "/healthz",
        "/static/thc.css",
        "/recherche?q=" + "é" * LONGEST,
    ],
)
async def test_what_is_no_page_of_what_is_published_is_not_counted(
    client: httpx.AsyncClient, path: str
) -> None:
    _, warmth = parts(client)
    await ask(client, path)
    assert not warmth.asked


async def test_readers_of_the_same_are_counted_together(client: httpx.AsyncClient) -> None:
    _, warmth = parts(client)
    for path in ("/commune", "/commune?inconnu=1", "/commune?q=mul&inconnu=2", "/commune?q=mul"):
        await ask(client, path, times=1, **{"User-Agent": path, "If-None-Match": "*"})
    assert [(path, query, n) for (path, query, _), n in warmth.asked.items()] == [
        ("/commune", b"", 2),
        ("/commune", b"q=mul", 2),
    ]


async def test_no_more_than_so_many_are_known(client: httpx.AsyncClient) -> None:
    _, warmth = parts(client)
    for n in range(KNOWN + 9):
        await ask(client, f"/recherche?q={n}", times=1)
    assert len(warmth.asked) == KNOWN
    asked = [query for _, query, _ in warmth.asked]
    assert b"q=0" not in asked
    assert asked[-1] == f"q={KNOWN + 8}".encode()
