"""What one connection may hold, on a real server, byte by byte."""

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from thc_graph.instance.service import Service
from thc_graph.web.app import create_app
from thc_graph.web.rendering.templates import read_messages
from thc_graph.web.serving.connections import Entrance
from thc_graph.web.serving.server import Server

PATIENCE = 30.0
LIMITS = {"slow_seconds": 1.0, "head_size": 16 << 10, "client_connections": 8}
TALL = "SELECT ?s ?l ?a ?n ?c ?m (CONCAT(?l, STR(?n)) AS ?x) { ?s ?p ?l . ?a ?b ?n . ?c ?d ?m }"
OPENING = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query\r\n"
WHOLE = OPENING + b"\r\n"


@pytest.fixture(scope="module")
def server(service: Service) -> Iterator[Server]:
    settings = replace(service.settings, **LIMITS)
    own = Service(settings, service.schema, service.library)
    server = Server(own, create_app(own), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield server
    server.should_exit = True
    thread.join()


@pytest.fixture
def place(server: Server) -> tuple[str, int]:
    host, port = server.servers[0].sockets[0].getsockname()
    return host, port


@pytest.fixture
def calling(place: tuple[str, int]) -> Iterator[Callable[[], socket.socket]]:
    called: list[socket.socket] = []

    def call() -> socket.socket:
        called.append(socket.create_connection(place, PATIENCE))
        return called[-1]

    yield call
    for each in called:
        each.close()


def answers(connection: socket.socket, *sent: bytes) -> bytes:
    """Return all that comes until the other side hangs up."""
    received = b""
    with suppress(ConnectionError):
        for part in sent:
            connection.sendall(part)
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ((OPENING + b"X: " + b"x" * 10_000 + b"\r\nConnection: close\r\n\r\n",), 200),
        ((OPENING + b"X: " + b"x" * 17_000 + b"\r\n\r\n",), 431),
        ((OPENING + b"X: 1\r\n" * 9_000 + b"\r\n",), 431),
        ((OPENING + b"X: ", *[b"x" * 10_000] * 100), 431),
        ((OPENING, *[b"X: 1\r\n" * 1000] * 100), 431),
        ((b"GET /?" + b"x" * 17_000 + b" HTTP/1.1\r\n\r\n",), 414),
        ((b"GET /?" + b"x" * 17_000 + b" HTTP/1.1\r\n\r\n" + WHOLE * 3,), 414),
    ],
    ids=["fits", "a long one", "many", "endless", "endlessly many", "address", "pipelined"],
)
def test_a_head_has_a_size(
    calling: Callable[[], socket.socket], sent: tuple[bytes, ...], expected: int
) -> None:
    answer = answers(calling(), *sent)
    assert status(answer) in (expected, 0)  # 0: it was still sending when it was cut off
    assert answer.count(b"HTTP/1.1") <= 1


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", 408),
        (OPENING, 408),
        (OPENING + b"X-Slow: ", 408),
        (POST + b"Content-Length: 100\r\n\r\nASK", 0),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nASK", 0),
        (WHOLE + OPENING, 200),
    ],
    ids=["nothing", "half a head", "half a header", "half a body", "half a chunk", "the second"],
)
def test_whoever_stops_sending_is_let_go(
    calling: Callable[[], socket.socket], sent: bytes, expected: int
) -> None:
    assert status(answers(calling(), sent)) == expected  # it ends: else the socket times out


def test_whoever_sends_drop_by_drop_is_let_go(calling: Callable[[], socket.socket]) -> None:
    connection, start = calling(), time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - start < PATIENCE:
            connection.sendall(b"x" if time.monotonic() - start > 0.1 else OPENING)
            time.sleep(0.05)
    assert time.monotonic() - start < PATIENCE


def test_whoever_goes_on_sending_has_time(calling: Callable[[], socket.socket]) -> None:
    connection = calling()
    connection.sendall(POST + b"Connection: close\r\nContent-Length: 10004\r\n\r\nASK{")
    for _ in range(5):
        connection.sendall(b" " * 2000)
        time.sleep(0.4)
    assert status(answers(connection)) == 400  # heard to its end: a query without an end


def test_a_refused_body_is_not_read_for_ever(calling: Callable[[], socket.socket]) -> None:
    connection = calling()
    connection.sendall(POST + b"Content-Length: 1000000000000\r\n\r\n")
    start = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - start < PATIENCE:
            connection.sendall(b"x" * 65_536)
            time.sleep(0.01)
    assert time.monotonic() - start < PATIENCE
    with calling() as other:
        answer = answers(other, POST + b"Content-Length: 1000000000000\r\n\r\n")
    assert status(answer) == 413


def await_connections(server: Server, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(server.server_state.connections) != number:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_whoever_takes_nothing_is_let_go(
    server: Server, calling: Callable[[], socket.socket]
) -> None:
    query = httpx.QueryParams({"query": TALL, "format": "json"})
    connection = calling()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(f"GET /sparql?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    started = connection.recv(100)
    assert status(started) == 200
    assert server.server_state.connections
    await_connections(server, 0)


def test_a_client_holds_so_many_connections(
    server: Server, place: tuple[str, int], calling: Callable[[], socket.socket]
) -> None:
    await_connections(server, 0)  # those of the test before
    held = [calling() for _ in range(8)]
    await_connections(server, 8)
    assert status(answers(calling())) == 429
    with socket.create_connection(place, PATIENCE, source_address=("127.0.0.9", 0)) as other:
        assert status(answers(other, OPENING + b"Connection: close\r\n\r\n")) == 200
    for each in held:
        each.close()
    await_connections(server, 0)
    assert status(answers(calling(), OPENING + b"Connection: close\r\n\r\n")) == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET /caf\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
        OPENING + b"X: a\x00b\r\n\r\n",
        OPENING + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        OPENING + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OPENING + b"Content-Length: -1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_request_is_refused(calling: Callable[[], socket.socket], sent: bytes) -> None:
    assert status(answers(calling(), sent)) == 400


def test_a_trusted_proxy_brings_all_its_visitors(service: Service) -> None:
    settings: Any = replace(service.settings, **LIMITS, trusted_proxies=("127.0.0.0/8",))
    entrance = Entrance(settings, read_messages())
    assert all(entrance.enter("127.0.0.1") for _ in range(100))
    assert [entrance.enter("192.0.2.1") for _ in range(9)] == [True] * 8 + [False]
    for _ in range(9):
        entrance.leave("192.0.2.1")
    assert "192.0.2.1" not in entrance.held


def test_a_client_is_its_network_whatever_it_writes(service: Service) -> None:
    settings: Any = replace(service.settings, **LIMITS)
    entrance = Entrance(settings, read_messages())
    hosts = [f"2001:db8::{number:x}" for number in range(9)]
    assert [entrance.enter(each) for each in hosts] == [True] * 8 + [False]
    assert entrance.enter("2001:db8:0:1::1")
    mapped = ["::ffff:192.0.2.1", "192.0.2.1"] * 5
    assert [entrance.enter(each) for each in mapped] == [True] * 8 + [False] * 2


@pytest.mark.parametrize(
    ("sent", "again"),
    [
        (b"nonsense\r\n\r\n", False),
        (OPENING + b"X: " + b"x" * 17_000 + b"\r\n\r\n", False),
        (b"GET /?" + b"x" * 17_000 + b" HTTP/1.1\r\n\r\n", False),
        (b"", False),
        (None, True),
    ],
    ids=["400", "431", "414", "408", "429"],
)
def test_a_refusal_is_read_from_anywhere_and_kept_nowhere(
    calling: Callable[[], socket.socket],
    sent: bytes | None,
    again: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "thc_graph.web")
    if sent is None:
        held = [calling() for _ in range(LIMITS["client_connections"] + 1)]
        answer = answers(held[-1])
    else:
        answer = answers(calling(), sent)
    head, _, body = answer.decode().partition("\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cache-control"] == "no-store"
    assert ("retry-after" in headers) is again
    french, english = body.splitlines()
    assert french.startswith(str(status(answer)))
    assert french != english
    assert "refused" in [each.message for each in caplog.records]


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "empty lines": (b"", b"\r\n" * 30_000),
    "chunk extensions": (CHUNKED + b"3;", b"x=y;" * 16_000),
    "a quoted extension": (CHUNKED + b'3;x="', b"y" * 60_000),
    "trailers": (CHUNKED + b"3\r\nASK\r\n0\r\n", b"X-Trailer: 1\r\n" * 4_000),
    "one trailer": (CHUNKED + b"3\r\nASK\r\n0\r\nX: ", b"x" * 60_000),
    "a header": (OPENING + b"X: ", b"x" * 60_000),
    "headers": (OPENING, b"X: 1\r\n" * 10_000),
    "chunks of nothing but length": (CHUNKED, b"0" * 60_000),
    "pipelined": (b"", WHOLE * 1_000),
    "a body nobody asked for": (OPENING + b"Content-Length: 9000000000\r\n\r\n", b"x" * 60_000),
    "after a refusal": (OPENING + b"Host: x\r\n\r\n", b"x" * 60_000),
    "after an upgrade": (OPENING + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", b"x" * 60_000),
    "after nonsense": (b"nonsense\r\n\r\n", b"x" * 60_000),
}


@pytest.mark.parametrize(("head", "more"), ENDLESS.values(), ids=list(ENDLESS))
def test_whatever_never_ends_is_cut_off(
    calling: Callable[[], socket.socket], head: bytes, more: bytes
) -> None:
    """Sixty megabytes are on offer; the memory of this process is the server's, too."""
    connection, before, sent = calling(), memory(), 0
    with suppress(ConnectionError):
        connection.sendall(head)
        for _ in range(1_000):
            connection.sendall(more)
            sent += len(more)
    assert sent < 40 << 20
    assert memory() - before < 20 << 20


def memory() -> int:
    """Return the bytes of memory this process has touched."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"Host: localhost\r\n", 200),
        (b"host: [::1]:8000\r\n", 200),
        (b"", 400),
        (b"Host:\r\n", 400),
        (b"Host: a\r\nHost: a\r\n", 400),
        (b"Host: a\r\nHost: b\r\n", 400),
        (b"Host: a, b\r\n", 400),
        (b"Host: a/b\r\n", 400),
        (b"Host: user@a\r\n", 400),
        (b"Host: " + b"a" * 400 + b"\r\n", 400),
        (b"Host: a\r\n" + b"X: 1\r\n" * 90, 200),
        (b"Host: a\r\n" + b"X: 1\r\n" * 110, 431),
        (b"Host: a\r\nAccept: a," + b" " * 4_000 + b",b\r\n", 200),
        (b"Host: a\r\nAccept: a," + b" " * 5_000 + b",b\r\n", 431),
        (b"Host: a\r\n" + b"Accept-Language: fr\r\nAccept-Encoding: gzip\r\n" * 40, 200),
        (b"Host: a\r\n" + (b"Accept: " + b"a" * 2_000 + b"\r\n") * 3, 431),
        (b"Host: a\r\nX: a\r\n b\r\n", 400),
        (b"Host: a\r\nX : a\r\n", 400),
    ],
)
def test_a_head_is_judged(calling: Callable[[], socket.socket], head: bytes, expected: int) -> None:
    sent = b"GET /healthz HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n"
    assert status(answers(calling(), sent)) == expected


def test_http_1_0_needs_no_host(calling: Callable[[], socket.socket]) -> None:
    assert status(answers(calling(), b"GET /healthz HTTP/1.0\r\n\r\n")) == 200


def test_pipelined_requests_are_answered_in_order(calling: Callable[[], socket.socket]) -> None:
    last = OPENING + b"Connection: close\r\n\r\n"
    found = answers(calling(), WHOLE * 5 + POST + b"Content-Length: 3\r\n\r\nASK" + last)
    assert [part[:3] for part in found.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 5 + [b"400", b"200"]


def test_a_trailer_is_no_header(calling: Callable[[], socket.socket]) -> None:
    query = b"ASK { ?s ?p ?o }"
    body = b"%x\r\n%s\r\n0\r\nAccept: image/png\r\nHost: b\r\n\r\n" % (len(query), query)
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status(answers(calling(), head, body)) == 200
    assert status(answers(calling(), head + body)) == 200


def test_small_chunks_are_a_body_like_another(calling: Callable[[], socket.socket]) -> None:
    query = b"ASK { ?s ?p ?o }" + b" " * 10_000
    body = b"".join(b"1\r\n%c\r\n" % each for each in query) + b"0\r\n\r\n"
    head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert (
        status(answers(calling(), head, *(body[i : i + 999] for i in range(0, len(body), 999))))
        == 200
    )
