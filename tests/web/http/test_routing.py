"""What a function is given, and what an address says that has no function for a method."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from thc_graph.instance.reading import Published
from thc_graph.instance.service import Service
from thc_graph.web.http.routing import Router

pytestmark = pytest.mark.anyio

router = Router()


@router.get("/plain")
async def plain() -> Response:
    return PlainTextResponse("plain")


@router.get("/things/{kind}/{key}", name="thing")
async def thing(key: str, request: Request, kind: str) -> Response:
    address = request.url_for("thing", kind="a", key="b").path
    return PlainTextResponse(f"{kind} {key} {address} {request.scope['route'].path}")


@router.post("/things/{kind}/{key}")
async def change(request: Request) -> Response:
    return PlainTextResponse(f"changed {request.path_params['key']}")


@router.get("/keys/{key:key}", name="key")
async def key_(key: str) -> Response:
    return PlainTextResponse(key)


async def refuse(request: Request) -> None:
    if "authorization" not in request.headers:
        raise ZeroDivisionError


async def refused(request: Request, error: Exception) -> Response:
    del request, error
    return PlainTextResponse("refused", 401)


def visit(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/plain", 200, "plain"),
        ("GET", "/things/x/y", 200, "x y /things/a/b /things/{kind}/{key}"),
        ("POST", "/things/x/y", 200, "changed y"),
        ("DELETE", "/things/x/y", 405, None),
        ("OPTIONS", "/things/x/y", 204, ""),
        ("GET", "/keys/a/b.md", 200, "a/b.md"),
        ("GET", "/keys/a/", 307, None),
        ("GET", "/elsewhere", 404, None),
    ],
)
async def test_addresses(method: str, path: str, status: int, text: str | None) -> None:
    async with visit(Starlette(routes=router.routes)) as client:
        response = await client.request(method, path)
    assert response.status_code == status
    assert text in (response.text, None)
    if status == 405:
        assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_a_guarded_address_lets_nobody_pass_unseen() -> None:
    app = Starlette(routes=router.guarded(refuse).routes)
    app.add_exception_handler(ZeroDivisionError, refused)
    async with visit(app) as client:
        for method in ("GET", "POST"):
            assert (await client.request(method, "/things/x/y")).status_code == 401
        found = await client.get("/things/x/y", headers={"Authorization": "Bearer x"})
        assert found.status_code == 200


async def test_a_snapshot_is_read_until_the_last_byte(service: Service) -> None:
    own = Service(service.settings, service.schema, service.library)
    readers = []
    reading_router = Router()

    class Watched(PlainTextResponse):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)
            readers.append(own.published.readers)

    @reading_router.get("/read")
    async def read(reading: Published) -> Response:
        return Watched(reading.commit)

    app = Starlette(routes=reading_router.routes)
    app.state.service = own
    await own.start()
    async with visit(app) as client:
        assert (await client.get("/read")).text == own.published.commit
    assert readers == [1]
    assert own.published.readers == 0
    await own.stop()
