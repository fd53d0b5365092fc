"""What is packed is the plain thing, whatever the address and the coding; secrets never are."""

import asyncio
import gzip
import math
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import brotli
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Message

from public import ADDRESSES, HTML, PUBLIC, Asked
from thc_graph.instance.exports import File
from thc_graph.instance.service import Service, open_service
from thc_graph.instance.settings import Settings
from thc_graph.store.engine.lanes import Room
from thc_graph.web.files.forms import Streamed
from thc_graph.web.http import packing
from thc_graph.web.http.packing import LEAST, Packing

pytestmark = pytest.mark.anyio

UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}
LIKED = {"br": "gzip, deflate, br, zstd", "gzip": "gzip;q=0.9, *;q=0.1, identity;q=0.5"}
CHANGING = {"x-request-id", "date", "retry-after"}
PAGE = "/doc/territoire/exemple-villeneuve"


async def raw(
    client: httpx.AsyncClient, asked: Asked, coding: str = "identity", **more: str
) -> httpx.Response:
    """Return an answer whose content is the bytes on the wire."""
    headers = {"Accept": asked.accept, "Accept-Encoding": coding, **more}
    async with client.stream(**asked.request, headers=headers) as answer:
        answer._content = b"".join([chunk async for chunk in answer.aiter_raw()])
    return answer


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in CHANGING}


async def test_every_address_is_among_them(demo_client: httpx.AsyncClient) -> None:
    app = demo_client._transport.app  # type: ignore[attr-defined]
    assert {route.path for route in app.routes} | {"none"} == set(ADDRESSES)


@pytest.mark.parametrize("asked", PUBLIC, ids=lambda each: f"{each.path[:60]} {each.accept[:20]}")
async def test_what_is_packed_is_the_plain_thing(
    demo_client: httpx.AsyncClient, asked: Asked
) -> None:
    plain = await raw(demo_client, asked)
    assert plain.status_code == asked.status, plain.text
    assert "content-encoding" not in plain.headers
    tags = {plain.headers.get("etag")}
    changes = "no-store" in plain.headers.get("cache-control", "")
    for coding, liked in LIKED.items():
        packed = await raw(demo_client, asked, liked)
        is_packed = packed.headers.get("content-encoding") == coding
        content = UNPACK[coding](packed.content) if is_packed else packed.content
        assert changes or content == plain.content
        is_plain_kind = packing._is_packed(plain.headers.get("content-type", ""))
        assert is_packed == (len(content) >= LEAST and not is_plain_kind)
        assert is_plain_kind or "accept-encoding" in packed.headers["vary"].lower()
        if is_packed:
            assert "etag" not in packed.headers or packed.headers["etag"] not in tags
            assert int(packed.headers["content-length"]) == len(packed.content) < len(content)
        tags.add(packed.headers.get("etag"))


@pytest.mark.parametrize("asked", PUBLIC, ids=lambda each: f"{each.path[:60]} {each.accept[:20]}")
@pytest.mark.parametrize("coding", ["identity", *LIKED.values()])
async def test_head_is_as_get(demo_client: httpx.AsyncClient, asked: Asked, coding: str) -> None:
    if asked.form:
        return
    headers = {"Accept": asked.accept, "Accept-Encoding": coding}
    got = await raw(demo_client, asked, coding)
    head = await demo_client.head(asked.path, headers=headers)
    changing = set()  # RFC 9110, section 9.3.2: HEAD may leave out what only the content tells
    if "no-store" in got.headers.get("cache-control", "") or "content-length" not in head.headers:
        changing = {"content-length"}
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert told(head).items() ^ told(got).items() <= {
        (name, each.headers[name])
        for name in changing
        for each in (head, got)
        if name in each.headers
    }


@pytest.mark.parametrize("coding", LIKED)
async def test_a_reader_who_has_it_is_told_so_in_the_coding_it_has(
    demo_client: httpx.AsyncClient, coding: str
) -> None:
    page, liked = Asked(PAGE), LIKED[coding]
    plain = (await raw(demo_client, page)).headers["etag"]
    packed = (await raw(demo_client, page, liked)).headers["etag"]
    for held in (packed, plain, f"W/{packed}", f'"x", {packed}'):
        again = await raw(demo_client, page, liked, **{"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] in held
        assert "accept-encoding" in again.headers["vary"].lower()
    other = await raw(demo_client, page, "identity", **{"If-None-Match": packed})
    assert (other.status_code, other.headers["etag"]) == (200, plain)


async def test_what_is_packed_is_kept_with_its_publication(
    demo_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/limites", "/static/thc.css"):
        first = await raw(demo_client, Asked(path), "br")
        assert first.headers["content-encoding"] == "br"
        with monkeypatch.context() as patch:
            patch.setattr(packing, "_PACK", {})
            assert (await raw(demo_client, Asked(path), "br")).content == first.content


@pytest.mark.parametrize(("who", "coding"), [("Authorization", None), ("Cookie", "br")])
async def test_whoever_says_who_they_are_gets_plain_bytes(
    demo_client: httpx.AsyncClient, who: str, coding: str | None
) -> None:
    """A cookie is of another site of the same name: nothing here reads one."""
    answer = await raw(demo_client, Asked("/limites"), "br", **{who: "secret"})
    assert answer.headers.get("content-encoding") == coding


@contextmanager
def crowded(served: Service) -> Iterator[None]:
    """Let every place where pages are made be held, and the queue before them be full."""
    entrance = served.published.entrance
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entrance, "room", Room(0, 0))
        yield


async def test_packing_takes_no_place_where_pages_are_made(demo_client: httpx.AsyncClient) -> None:
    served = demo_client._transport.app.state.service  # type: ignore[attr-defined]
    path = "/sparql?lang=en"
    assert (await raw(demo_client, Asked(path))).status_code == 200
    with crowded(served):
        assert (await raw(demo_client, Asked("/voc?lang=en"))).status_code == 503
        answer = await raw(demo_client, Asked(path), "gzip")
    assert (answer.status_code, answer.headers["content-encoding"]) == (200, "gzip")


async def test_packing_drives_no_page_out(demo_client: httpx.AsyncClient) -> None:
    served = demo_client._transport.app.state.service  # type: ignore[attr-defined]
    await raw(demo_client, Asked("/limites"))
    size = served.published.pages.size
    for number in range(5):
        query = f"/sparql?query=SELECT%20*%20{{?s%20?p%20?o}}LIMIT%20{200 + number}"
        answer = await raw(demo_client, Asked(query, "text/csv"), "gzip")
        assert answer.headers["content-encoding"] == "gzip"
    assert served.published.pages.size == size


async def test_a_part_is_a_part_of_the_plain_bytes(large: httpx.AsyncClient) -> None:
    part = await raw(large, Asked("/file", "*/*"), "gzip", Range="bytes=10-2009")
    assert (part.status_code, len(part.content)) == (206, 2000)
    assert "content-encoding" not in part.headers


CSV = {"Content-Type": "text/csv"}
BODY = b"".join(b"%d, a line of a whole export\n" % number for number in range(40_000))


@pytest.fixture
async def large(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path_factory.mktemp("large") / "export.csv"
    path.write_bytes(BODY)

    async def lines(pieces: int) -> AsyncIterator[bytes]:
        for start in range(0, len(BODY), pieces):
            yield BODY[start : start + pieces]

    app = Starlette()
    app.add_route("/file", lambda _: FileResponse(path, media_type="text/csv"))
    app.add_route("/ours", lambda _: Streamed(File(os.open(path, os.O_RDONLY), len(BODY)), CSV))
    app.add_route("/whole", lambda _: Response(BODY, media_type="text/csv"))
    app.add_route("/stream", lambda _: StreamingResponse(lines(99_999), media_type="text/csv"))
    app.add_route("/own", _own)
    app.add_middleware(Packing)
    app.state.service = open_service(Settings(path.parent))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def _own(request: Request) -> Response:
    headers = {"one": {"Set-Cookie": "a=b"}, "all": {"Cache-Control": "private"}}
    return Response(BODY[:5000], media_type="text/csv", headers=headers[request.query_params["of"]])


@pytest.mark.parametrize("coding", ["br", "gzip"])
@pytest.mark.parametrize("path", ["/file", "/ours", "/stream"])
async def test_a_stream_is_packed_as_it_passes(
    large: httpx.AsyncClient, path: str, coding: str
) -> None:
    answer = await raw(large, Asked(path), coding)
    assert answer.headers["content-encoding"] == coding
    assert UNPACK[coding](answer.content) == BODY
    assert "content-length" not in answer.headers
    assert answer.headers.get("etag", f'-{coding}"').endswith(f'-{coding}"')
    head = await large.head(path, headers={**HTML, "Accept-Encoding": coding})
    assert {**told(head)} == {**told(answer)}


@pytest.mark.parametrize("of", ["one", "all"])
async def test_what_is_for_one_reader_is_not_packed(large: httpx.AsyncClient, of: str) -> None:
    assert "content-encoding" not in (await raw(large, Asked(f"/own?of={of}"), "br")).headers


@pytest.mark.parametrize("path", ["/whole", "/ours"])
async def test_one_who_hangs_up_gives_up_its_turn(large: httpx.AsyncClient, path: str) -> None:
    """Its turn is taken by another of its answers; nobody listens to the one that waits."""
    app = large._transport.app  # type: ignore[attr-defined]
    await large.get("/own?of=all")  # the application is put together with its first request
    places, left, sent = app.middleware_stack.app.places, asyncio.Event(), list[Message]()

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asked = {"type": "http", "method": "GET", "path": path, "query_string": b"", "root_path": ""}
    headers = [(b"accept-encoding", b"br")]
    async with places.place(math.inf, "192.0.2.7"), asyncio.timeout(10):
        asking = app(asked | {"headers": headers, "client": ("192.0.2.7", 1)}, receive, send)
        waiting = asyncio.ensure_future(asking)
        while not places.waiting:  # noqa: ASYNC110 - a queue tells no event
            await asyncio.sleep(0.01)
        left.set()
        await waiting
    assert (places.waiting, sent) == (0, [])
