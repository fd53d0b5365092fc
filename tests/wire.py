"""Requests as they go over the wire, byte by byte, and what comes back."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse

PATIENCE = 20.0  # seconds without a byte
HOST = "127.0.0.1"  # what a request names itself; the answer never says it again


@dataclass(frozen=True)
class Sent:
    """A request: its first bytes, then `more` so many `times`.

    Its sender `leaves` after seconds, unread, or says that nothing follows where it `ends`.
    """

    first: bytes
    more: bytes = b""
    times: int = 0
    leaves: float | None = None
    ends: bool = False

    @property
    def method(self) -> str:
        return self.first.split(b" ", 1)[0].decode("latin-1")

    def __str__(self) -> str:
        more = f" + {self.times} × {self.more[:40]!r}" if self.times else ""
        return f"{self.first[:160]!r}{more}"


@dataclass(frozen=True)
class Came:
    """An answer; status 0 where there was none, and why."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: str = ""


def request(
    path: str | bytes,
    *headers: tuple[str | bytes, str | bytes],
    method: str = "GET",
    body: bytes | None = None,
    **rest: object,
) -> Sent:
    """Return a request whose connection ends with its answer; texts go as they are, in UTF-8."""
    lines = [
        b" ".join((method.encode(), _bytes(path), b"HTTP/1.1")),
        b"Host: " + HOST.encode(),
        b"Connection: close",
        *(_bytes(name) + b": " + _bytes(value) for name, value in headers),
        *([f"Content-Length: {len(body)}".encode()] if body is not None else []),
    ]
    return Sent(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""), **rest)  # type: ignore[arg-type]


def exchange(place: tuple[str, int], source: str, sent: Sent) -> Came:
    """Send a request from a loopback address, and return what came.

    Whoever is hung up on while sending reads what was said before.
    """
    with socket.create_connection(place, PATIENCE, source_address=(source, 0)) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent.first)
            for _ in range(sent.times):
                connection.sendall(sent.more)
            if sent.ends:
                connection.shutdown(socket.SHUT_WR)
        if sent.leaves is not None:
            time.sleep(sent.leaves)
            return Came(fault="left")
        return _answer(connection, sent.method)


def _answer(connection: socket.socket, method: str) -> Came:
    response = HTTPResponse(connection, method=method)
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Came(response.status, headers, response.read())
    except (HTTPException, OSError) as fault:
        return Came(fault=type(fault).__name__)
    finally:
        response.close()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
