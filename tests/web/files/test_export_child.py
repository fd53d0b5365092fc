"""Whole lists are files of their publication: made once, beside the server, and kept on disk."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from gzip import decompress
from pathlib import Path

import brotli
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from thc_graph.errors import QueueFull
from thc_graph.instance.exports import LEAST, Exports, File, Shelf
from thc_graph.instance.service import Service, open_service
from thc_graph.instance.settings import read_settings
from thc_graph.lists.addresses import Asked
from thc_graph.store.engine.lanes import asked_by
from thc_graph.store.writes.repository import Repository
from thc_graph.web.files.forms import Job
from visiting import visiting

pytestmark = pytest.mark.anyio
HANDLES = Path("/proc/self/fd")


@pytest.fixture(scope="module")
def served(demo: Repository) -> Service:
    return open_service(read_settings(demo.root))


@pytest.fixture(scope="module")
async def visitor(served: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with visiting(served) as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client


def exports(service: Service) -> Exports:
    found = service.published.exports
    assert found is not None
    return found


async def test_a_whole_list_is_made_once(visitor: httpx.AsyncClient, served: Service) -> None:
    pages = len(served.published.pages)
    first = await visitor.get("/commune.csv")
    held = exports(served).whole.size
    assert first.status_code == 200
    assert first.headers["content-length"] == str(len(first.content))
    for address in ("/commune.csv?x=1", "/commune.csv?page=7", "/commune?format=csv"):
        again = await visitor.get(address)
        assert again.content == first.content
    known = {"If-None-Match": first.headers["etag"]}
    assert (await visitor.get("/commune.csv", headers=known)).status_code == 304
    head = await visitor.head("/commune.csv")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(first.content)))
    assert exports(served).whole.size == held
    assert len(served.published.pages) == pages


async def test_what_one_invents_drives_out_nothing(
    visitor: httpx.AsyncClient, served: Service
) -> None:
    whole = exports(served).whole.size
    for number in range(5):
        answer = await visitor.get("/departement.csv", params={"q": f"a{number}"})
        assert answer.status_code == 200
    assert exports(served).whole.size == whole
    assert exports(served).narrowed.size == 5 * LEAST


def test_a_shelf_has_a_bound(tmp_path: Path) -> None:
    def file(size: int) -> File:
        path = tmp_path / "file"
        path.write_bytes(bytes(size))
        return File(os.open(path, os.O_RDONLY), size)

    shelf = Shelf(3 * LEAST)
    before = len(list(HANDLES.iterdir()))
    for number in range(10):
        shelf.put(b"%d" % number, file(10))
    assert shelf.size == 3 * LEAST
    assert shelf.get(b"6") is None
    assert shelf.get(b"7") is not None
    shelf.put(b"large", file(3 * LEAST + 1))
    assert shelf.get(b"large") is None
    assert len(list(HANDLES.iterdir())) == before + 3


def children() -> set[int]:
    found = (task / "children" for task in Path("/proc/self/task").iterdir())
    return {int(child) for each in found for child in each.read_text().split()}


def drafts(repository: Repository) -> set[Path]:
    return set((repository.root / "snapshots").glob(".draft-*"))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - processes tell no event
            await asyncio.sleep(0.01)


async def test_one_who_leaves_ends_the_work(demo: Repository) -> None:
    service = open_service(read_settings(demo.root))
    await service.start()
    try:
        before, held = children(), drafts(demo)
        job = Job("thc_graph.web.files.lists", "xlsx", Asked("commune"), "fr")
        waiting = asyncio.ensure_future(service.published.export("k", job, whole=True))
        await until(lambda: bool(children() - before))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await until(lambda: children() == before)
    finally:
        await service.stop()
    assert drafts(demo) == held


async def test_one_client_leaves_room_for_another(demo: Repository) -> None:
    service = open_service(replace(read_settings(demo.root), exports_size=0))
    await service.start()
    try:

        def begin(client: str, number: int) -> "asyncio.Task[File]":
            job = Job("thc_graph.web.files.lists", "csv", Asked("departement"), "fr")
            with asked_by(lambda: client):
                work = service.published.export(f"{client}{number}", job, whole=True)
                return asyncio.ensure_future(work)

        greedy = [begin("greedy", number) for number in range(40)]
        await asyncio.sleep(0)
        other = begin("other", 0)
        assert (await other).size
        assert sum(each.done() and not each.exception() for each in greedy) < 10
        ended = await asyncio.gather(*greedy, return_exceptions=True)
        assert sum(isinstance(each, QueueFull) for each in ended) >= 20
        assert exports(service).whole.size == 0
    finally:
        await service.stop()


async def test_nobody_waits_in_the_queue_of_another(demo: Repository) -> None:
    """One waits for many files; another, who wants the last of them, has it before."""
    service = open_service(read_settings(demo.root))
    await service.start()

    def begin(client: str, number: int) -> "asyncio.Task[File]":
        job = Job("thc_graph.web.files.lists", "csv", Asked("departement"), "fr")
        with asked_by(lambda: client):
            return asyncio.ensure_future(service.published.export(number, job, whole=True))

    try:
        greedy = [begin("greedy", number) for number in range(12)]
        await asyncio.sleep(0)
        assert (await begin("other", 11)).size
        assert sum(each.done() for each in greedy) < 6
        files = await asyncio.gather(*greedy)
        assert files[11] is await begin("other", 11)
    finally:
        await service.stop()


async def test_where_a_page_begins_makes_no_other_file(
    visitor: httpx.AsyncClient, served: Service
) -> None:
    await visitor.get("/departement.csv?q=haut")
    narrowed = exports(served).narrowed.size
    for more in ("page=2", "vue=carte", "tout=1", "format=csv&page=3"):
        assert (await visitor.get(f"/departement.csv?q=haut&{more}")).status_code == 200
    assert exports(served).narrowed.size == narrowed


@pytest.mark.parametrize(("coding", "unpack"), [("br", brotli.decompress), ("gzip", decompress)])
async def test_a_file_is_packed_for_its_first_reader(
    visitor: httpx.AsyncClient, served: Service, coding: str, unpack: Callable[[bytes], bytes]
) -> None:
    async def packed(method: str = "GET") -> tuple[httpx.Headers, bytes]:
        headers = {"Accept-Encoding": coding}
        async with visitor.stream(method, "/commune.csv", headers=headers) as answer:
            return answer.headers, b"".join([some async for some in answer.aiter_raw()])

    plain = (await visitor.get("/commune.csv")).content
    held = exports(served).packed.size
    first, content = await packed()
    assert "content-length" not in first
    assert unpack(content) == plain
    assert exports(served).packed.size > held
    again, same = await packed()
    assert (again["content-length"], same) == (str(len(content)), content)
    assert (await packed("HEAD"))[0]["content-length"] == str(len(content))
    assert again["etag"] == first["etag"]
    measures = text_string_to_metric_families((await visitor.get("/metrics")).text)
    told = next(each.samples[0].value for each in measures if each.name == "thc_export_bytes")
    found = exports(served)
    assert told == found.whole.size + found.narrowed.size + found.packed.size
