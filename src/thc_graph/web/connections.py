"""Connections: what one may hold of this server without asking anything of it.

The server we stand on reads heads of any size and waits for ever for whoever sends
nothing, or takes nothing. Here a head has a size; a request is sent, and an answer
taken, within a time that grows with the bytes that pass; and a client has a number
of connections. Past a bound: 408, 414, 429 or 431, and the connection ends.
"""

from asyncio import TimerHandle, Transport
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from thc_graph.settings import Settings
from thc_graph.web.clients import is_within

RATE: Final = 1000  # bytes a second: whoever is slower gets no more time
LINGER: Final = 2.0  # seconds in which a refusal can be read, while the rest is thrown away


@dataclass
class Entrance:
    """How many connections each address holds."""

    settings: Settings
    held: Counter[str] = field(default_factory=Counter)

    def enter(self, host: str) -> bool:
        """Count one in, and tell whether it is welcome; proxies we trust always are."""
        self.held[host] += 1
        if self.held[host] <= self.settings.client_connections:
            return True
        return bool(host) and is_within(ip_address(host), self.settings.trusted_proxies)

    def leave(self, host: str) -> None:
        self.held[host] -= 1
        if not self.held[host]:
            del self.held[host]


class Connection(HttpToolsProtocol):
    """One connection: uvicorn's, with bounds."""

    def __init__(self, *, entrance: Entrance, **given: Any) -> None:
        super().__init__(**given)
        self.entrance = entrance
        self._host = ""
        self._refused = False
        self._in_head = False  # of a request that has begun
        self._head = 0  # bytes of a head that is not yet whole, but for its first reading
        self._receiving = True  # a request, or the first byte of one
        self._since, self._received = 0.0, 0
        self._moved, self._left = 0.0, 0  # when bytes were last taken, how many there were then
        self._looking: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._host = self.client[0] if self.client else ""
        self._since = self.loop.time()
        self._look()
        if not self.entrance.enter(self._host):
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._looking is not None:
            self._looking.cancel()
        self.entrance.leave(self._host)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._receiving:
            self._begin()
        self._received += len(data)
        continued = self._in_head
        super().data_received(data)
        if continued and self._in_head:
            self._head += len(data)
            if self._head > self.entrance.settings.head_size:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _begin(self) -> None:
        self._receiving, self._since, self._received = True, self.loop.time(), 0

    def on_message_begin(self) -> None:
        if not self._receiving:  # behind another one, in the same bytes
            self._begin()
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        limit = self.entrance.settings.head_size
        if self._refused:
            return
        if len(self.url) > limit:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif sum(len(name) + len(value) for name, value in self.headers) > limit:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._receiving = False
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._receiving and self.cycle.more_body:
            self._refused = True  # answered before the body was whole: nobody reads the rest
            self._end()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer by a status alone; nothing more is read."""
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # an answer is on its way: a second would be mixed into it
            return
        body = f"{status} {status.phrase}\n".encode()
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\nconnection: close\r\nretry-after: 1\r\n"
            f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self._end()

    def _end(self) -> None:
        """Say that nothing follows, and let the last words be read: RFC 9112, section 9.6."""
        if not self.transport.is_closing():
            self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.abort)

    def _look(self) -> None:
        """Look, now and then, whether this one keeps us waiting."""
        patience = self.entrance.settings.slow_seconds
        if self._is_slow_to_take(patience):
            self.transport.abort()
        elif self._is_slow_to_send(patience):
            idle = self.cycle is None or self.cycle.response_complete
            self._refuse(HTTPStatus.REQUEST_TIMEOUT) if idle else self.transport.abort()
        if not self.transport.is_closing() or self._unsent():
            self._looking = self.loop.call_later(patience / 4, self._look)

    def _is_slow_to_send(self, patience: float) -> bool:
        late = self.loop.time() - self._since > patience + self._received / RATE
        return late and self._receiving and not self._refused

    def _is_slow_to_take(self, patience: float) -> bool:
        left = self._unsent()
        if not left or not self._left - RATE * patience < left <= self._left:
            self._moved, self._left = self.loop.time(), left
        return left > 0 and self.loop.time() - self._moved > patience

    def _unsent(self) -> int:
        return self.transport.get_write_buffer_size()
