"""A remote engine that misbehaves: each way has its error, and nothing of ours is left hanging.

The server below is real; what it does wrong is real too.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pyoxigraph import QueryResultsFormat, parse_query_results

from engines import virtuoso
from thc_graph.errors import (
    QueryFailed,
    QueryForbidden,
    QueryTimeout,
    QueueFull,
    RemoteTimeout,
    RemoteUnreachable,
    RemoteWrong,
)
from thc_graph.store.engine.engine import Query
from thc_graph.store.engine.lanes import Room
from thc_graph.store.engine.remote import NOTHING, Dataset, Remote, credentials

pytestmark = pytest.mark.long

JSON = "application/sparql-results+json"
XML = "application/sparql-results+xml"
HEAD, ROW, TAIL = (
    b'{"head":{"vars":["x"]},"results":{"bindings":[',
    b'{"x":{"type":"literal","value":"1"}}',
    b"]}}",
)
ROWS = HEAD + ROW + TAIL
ROWS_XML = (
    b'<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#"><head>'
    b'<variable name="x"/></head><results><result><binding name="x"><literal>1</literal>'
    b"</binding></result></results></sparql>"
)
SELECT, ASK, CONSTRUCT = "SELECT ?x {}", "ASK {}", "CONSTRUCT WHERE { ?s ?p ?o }"


@dataclass
class Manner:
    """How the server answers, and what it was sent."""

    status: int = 200
    media_type: str = JSON
    body: bytes = ROWS
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  # said instead of the true one
    endless: bytes = b""
    waits: threading.Event | None = None
    received: list[tuple[dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    manner = Manner()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        manner = self.server.manner
        sent = self.rfile.read(int(self.headers["content-length"])).decode()
        manner.received.append((dict(self.headers), parse_qs(sent)))
        manner.arrived.set()
        if manner.waits:
            self._wait_for_hang_up(manner)
            return
        self.send_response(manner.status)
        headers = {"Content-Type": manner.media_type, **manner.headers}
        if not manner.endless:
            headers["Content-Length"] = str(manner.length or len(manner.body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(manner.body)
        self.close_connection = bool(manner.endless or manner.length)
        with suppress(OSError):
            while manner.endless:
                self.wfile.write(manner.endless)
        manner.hung_up.set()

    def do_GET(self) -> None:
        self.server.manner.arrived.set()
        self.send_error(404)

    def _wait_for_hang_up(self, manner: Manner) -> None:
        """Say nothing until the client has closed the connection."""
        if not self.connection.recv(1):
            manner.hung_up.set()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as found:
        found.manner = Manner()
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/sparql"


@asynccontextmanager
async def opened(where: str, **options: Any) -> AsyncIterator[Remote]:
    remote = Remote(where, 1, **options)
    await remote.start()
    try:
        yield remote
    finally:
        await remote.stop()


def answer(where: str, text: str = SELECT, seconds: float = 10, **options: Any) -> bytes:
    async def once() -> bytes:
        async with opened(where, **options) as remote:
            found = await remote.answer(Query(text, (JSON, "application/n-triples"), seconds))
            state = remote.state().lanes["public"]
            assert (state.busy, state.idle) == (0, state.workers)
            return await found.read()

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("manner", "text", "error"),
    [
        ({"media_type": "text/html", "body": b"<html>Welcome</html>"}, SELECT, RemoteWrong),
        ({"media_type": "text/html", "body": b"<html>Welcome</html>"}, CONSTRUCT, RemoteWrong),
        ({"body": b"<html>Welcome</html>"}, SELECT, RemoteWrong),
        ({"body": b""}, SELECT, RemoteWrong),
        ({"body": b"\xff\xfe"}, SELECT, RemoteWrong),
        ({"body": ROWS[:-5]}, SELECT, RemoteWrong),
        ({"media_type": "text/csv", "body": b"x\r\n1\r\n"}, SELECT, RemoteWrong),
        ({"body": b'{"head":{},"boolean":true}'}, SELECT, RemoteWrong),
        ({"body": ROWS}, ASK, RemoteWrong),
        ({"media_type": "application/n-triples", "body": b"<a> <b> ."}, CONSTRUCT, RemoteWrong),
        ({"media_type": ""}, SELECT, RemoteWrong),
        ({"status": 500, "body": b"/opt/engine/fault"}, SELECT, RemoteWrong),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}}, SELECT, RemoteWrong),
        ({"status": 401}, SELECT, RemoteWrong),
        ({"headers": {"Content-Encoding": "gzip"}}, SELECT, RemoteWrong),
        ({"status": 400}, SELECT, QueryFailed),
        ({"status": 503, "headers": {"Retry-After": "7"}}, SELECT, QueueFull),
        ({"status": 504}, SELECT, QueryTimeout),
        ({"length": 1000}, SELECT, RemoteUnreachable),
        ({"status": 600}, SELECT, RemoteWrong),
    ],
)
def test_each_fault_has_its_error(
    server: Server, manner: dict[str, Any], text: str, error: type[Exception]
) -> None:
    server.manner = Manner(**manner)
    with pytest.raises(error) as refusal:
        answer(address(server), text)
    assert type(refusal.value) is error
    assert len(server.manner.received) == 1  # nothing is asked twice
    if error is QueueFull:
        assert refusal.value.retry_after == 7


def test_what_was_not_asked_for_is_written_anew(server: Server) -> None:
    server.manner = Manner(media_type=f"{XML}; charset=utf-8", body=ROWS_XML)
    assert answer(address(server)) == ROWS


def test_silence_ends_at_the_limit_and_the_connection_with_it(server: Server) -> None:
    server.manner = Manner(waits=threading.Event())
    with pytest.raises(QueryTimeout) as refusal:
        answer(address(server), seconds=0.5)
    assert refusal.value.seconds == 0.5
    assert server.manner.hung_up.wait(5)


def test_a_client_that_leaves_takes_the_connection_along(server: Server) -> None:
    server.manner = Manner(waits=threading.Event())

    async def leave() -> None:
        async with opened(address(server)) as remote:
            asking = asyncio.ensure_future(remote.answer(Query(SELECT, (JSON,), 60)))
            assert await asyncio.to_thread(server.manner.arrived.wait, 5)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await asyncio.to_thread(server.manner.hung_up.wait, 5)
            assert remote.state().lanes["public"].left == 1

    asyncio.run(leave())


def test_an_endless_answer_is_cut_at_a_whole_row(server: Server) -> None:
    server.manner = Manner(body=HEAD + ROW, endless=b"," + ROW)
    found = answer(address(server), max_bytes=64 << 10)
    assert len([*parse_query_results(found, format=QueryResultsFormat.JSON)]) > 100
    assert len(found) <= 64 << 10
    assert server.manner.hung_up.wait(5)


def test_an_endless_row_is_left_out(server: Server) -> None:
    server.manner = Manner(body=HEAD + ROW + b"," + ROW + b"," + ROW[:-5], endless=b"x" * 1000)
    assert answer(address(server), max_bytes=64 << 10) == ROWS


def test_nobody_is_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(RemoteUnreachable):
            answer(f"http://127.0.0.1:{probe.getsockname()[1]}/")


def test_nobody_takes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thc_graph.store.engine.remote.CONNECT_SECONDS", 0.3)
    with socket.socket() as full, socket.socket() as other:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        other.connect(full.getsockname())  # the queue holds one, and it is taken
        with pytest.raises(RemoteTimeout):
            answer(f"http://127.0.0.1:{full.getsockname()[1]}/")


def test_an_engine_that_comes_back_is_used_again(server: Server) -> None:
    async def twice() -> None:
        async with opened(address(server)) as remote:
            server.manner = Manner(length=1000)
            with pytest.raises(RemoteUnreachable):
                await remote.answer(Query(SELECT, (JSON,), 10))
            assert not remote.state().ready
            server.manner = Manner()
            await remote.answer(Query(SELECT, (JSON,), 10))
            assert remote.state().ready

    asyncio.run(twice())


def test_visitors_never_hold_up_pages(server: Server) -> None:
    async def both() -> None:
        lanes = {"public": Room(1, 1), "pages": Room(1, 1)}
        async with opened(address(server), lanes=lanes) as remote:
            server.manner = Manner(waits=threading.Event())
            slow = [
                asyncio.ensure_future(remote.answer(Query(SELECT, (JSON,), 3))) for _ in range(2)
            ]
            assert await asyncio.to_thread(server.manner.arrived.wait, 5)
            with pytest.raises(QueueFull):
                await remote.answer(Query(SELECT, (JSON,), 3))
            server.manner = Manner()
            page = await remote.answer(Query(SELECT, (JSON,), 3), lane="pages")
            assert await page.read() == ROWS
            await asyncio.gather(*slow, return_exceptions=True)

    asyncio.run(both())


DATASET = Dataset("urn:union", ("urn:g", "urn:h"))


@pytest.mark.parametrize(
    ("text", "asked", "default", "named"),
    [
        (SELECT, {}, ["urn:union"], ["urn:g", "urn:h"]),
        ("SELECT ?x FROM <urn:g> {}", {}, ["urn:g"], [NOTHING]),
        ("SELECT ?x FROM NAMED <urn:h> {}", {}, [NOTHING], ["urn:h"]),
        ("SELECT ?x FROM <urn:secret> {}", {}, [NOTHING], [NOTHING]),
        (SELECT, {"default_graphs": ("urn:g",)}, ["urn:g"], [NOTHING]),
        (SELECT, {"named_graphs": ("urn:g",)}, [NOTHING], ["urn:g"]),
        (SELECT, {"default_graphs": ("urn:secret",)}, [NOTHING], [NOTHING]),
    ],
)
def test_the_dataset_is_always_said(
    server: Server, text: str, asked: dict[str, Any], default: object, named: object
) -> None:
    async def once() -> None:
        async with opened(address(server), dataset=DATASET) as remote:
            await remote.answer(Query(text, (JSON,), 10, **asked))

    asyncio.run(once())
    ((_, form),) = server.manner.received
    assert (form.get("default-graph-uri"), form.get("named-graph-uri")) == (default, named)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"T_USER": "u", "T_PASSWORD": "p"}, "Basic dTpw"),
        ({"T_TOKEN": "abc"}, "Bearer abc"),
    ],
)
def test_credentials_come_from_the_environment(
    server: Server, environment: dict[str, str], expected: str | None
) -> None:
    answer(address(server), auth=credentials(environment, "T"))
    ((headers, _),) = server.manner.received
    assert headers.get("Authorization") == expected
    assert headers["Accept"] == JSON


def test_digest_is_a_choice() -> None:
    chosen = {"T_USER": "u", "T_PASSWORD": "p", "T_AUTH": "digest"}
    assert isinstance(credentials(chosen, "T"), httpx.DigestAuth)


@pytest.mark.all
def test_virtuoso_is_not_made_to_call_out(server: Server, tmp_path: Path) -> None:
    call = f'SELECT (<bif:http_get>("{address(server)}") AS ?x) {{}}'
    with virtuoso(tmp_path) as endpoint:
        httpx.post(endpoint.query, data={"query": call})
        assert server.manner.arrived.is_set()  # it would
        server.manner = Manner()
        with pytest.raises(QueryForbidden):
            answer(endpoint.query, call)
        assert not server.manner.arrived.is_set()
