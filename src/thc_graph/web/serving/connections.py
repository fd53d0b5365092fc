"""Connections: what one may hold of this server without asking anything of it.

The server we stand on reads heads of any size and waits for ever for whoever sends
nothing, or takes nothing. Here each byte counts: a head has a size, and so has what is
neither head nor body (empty lines, the frames of chunks and their extensions, trailers);
a request is sent, and an answer taken, within a time that grows with the bytes that pass;
a client has a number of connections, and a connection of requests that wait in line.
Past a bound: 400, 408, 414, 429 or 431, and the connection ends.
"""

import logging
from asyncio import TimerHandle, Transport
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from thc_graph.instance.settings import Settings
from thc_graph.web.http.clients import address_at, client_at, is_proxy, shortened
from thc_graph.web.http.routing import LANGUAGES
from thc_graph.web.http.sharing import SHARED
from thc_graph.web.rendering.templates import Messages

RATE: Final = 1000  # bytes a second: whoever is slower gets no more time
CHOICES: Final = 4096  # bytes of one header that says what a client prefers
HEADERS: Final = 100  # lines
HOST: Final = 300  # bytes: a name of 253 characters, and its port
_ELSEWHERE: Final = " /?#@,\\<>\"'"  # what no host holds
FRAMING: Final = 16  # bytes around each byte of a body: chunks of one byte take six
WAITING: Final = 16  # requests sent before the first is answered
THROWN: Final = 16 << 20  # bytes of whoever goes on sending when nothing more is read
AGAIN: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS})  # which a moment later are none
LINGER: Final = 2.0  # seconds in which a refusal can be read, while the rest is thrown away

log = logging.getLogger("thc_graph.web")


def _is_host(value: bytes) -> bool:
    """Tell whether a Host names one: RFC 9110, section 7.2."""
    text = value.decode("latin-1")
    is_written = text.isascii() and text.isprintable() and not any(c in _ELSEWHERE for c in text)
    return is_written and 0 < len(text) <= HOST


@dataclass
class Entrance:
    """How many connections each client holds; `words` are what it is told of a refusal."""

    settings: Settings
    words: Messages
    held: Counter[str] = field(default_factory=Counter)

    def enter(self, host: str) -> bool:
        """Count one in, and tell whether it is welcome; proxies we trust always are."""
        client = client_at(host)
        self.held[client] += 1
        if self.held[client] <= self.settings.client_connections:
            return True
        return is_proxy(host, self.settings)

    def leave(self, host: str) -> None:
        client = client_at(host)
        self.held[client] -= 1
        if not self.held[client]:
            del self.held[client]

    def refusal(self, status: HTTPStatus) -> bytes:
        """Return a whole answer: the reason in both languages, readable from other sites."""
        body = "".join(
            f"{status} {self.words[f'connection.{status}'][each]}\n" for each in LANGUAGES
        ).encode()
        again = {"Retry-After": "1"} if status in AGAIN else {}
        headers = {
            "Connection": "close",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            **SHARED,
            **again,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {status} {status.phrase}\r\n{lines}\r\n".encode() + body


class Connection(HttpToolsProtocol):
    """One connection: uvicorn's, with bounds."""

    def __init__(self, *, entrance: Entrance, **given: Any) -> None:
        super().__init__(**given)
        self.entrance = entrance
        self._host = ""
        self._refused = False
        self._in_head = True  # or before one
        self._beside = 0  # bytes of the request that are no body, but for its first reading
        self._body = 0  # bytes of its body
        self._begun = 0  # requests
        self._thrown = 0  # bytes that came when nothing more was read
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
            self._throw_away(data)
            return
        if not self._receiving:
            self._begin()
        self._received += len(data)
        begun, body = self._begun, self._body
        super().data_received(data)
        if begun == self._begun:
            self._beside += len(data) - (self._body - body)
            self._weigh()

    def _throw_away(self, data: bytes) -> None:
        self._thrown += len(data)
        if self._thrown > THROWN:
            self.transport.abort()

    def _weigh(self) -> None:
        """Refuse a request of which too much is no body."""
        limit = self.entrance.settings.head_size
        if self._refused or self._beside <= limit + FRAMING * self._body:
            return
        heads = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._refuse(heads if self._in_head else HTTPStatus.BAD_REQUEST)

    def _begin(self) -> None:
        self._receiving, self._since, self._received = True, self.loop.time(), 0
        self._in_head, self._beside, self._body = True, 0, 0

    def on_message_begin(self) -> None:
        self._begun += 1
        if self._begun > 1:  # also behind another one, in the same bytes
            self._begin()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head and not self._refused:  # what comes after the body tells nothing
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._refused:
            return
        status = self._judged()
        if status is not None:
            self._refuse(status)
            return
        if len(self.pipeline) < WAITING:
            super().on_headers_complete()
        else:
            self._end_with(self.pipeline[0][0])  # the last to come

    def _judged(self) -> HTTPStatus | None:
        """Return why a head is refused, None for one that is not: RFC 9112, section 3.2, for Host.

        Whoever sends two hosts, or none, may be heard as two by two servers.
        """
        limit = self.entrance.settings.head_size
        hosts = [value for name, value in self.headers if name == b"host"]
        choices = Counter[bytes]()
        for name, value in self.headers:
            if name.startswith(b"accept"):
                choices[name] += len(value)
        if len(self.url) > limit:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if (
            len(self.headers) > HEADERS
            or sum(len(name) + len(value) for name, value in self.headers) > limit
            or max(choices.values(), default=0) > CHOICES
        ):
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        needs_host = self.parser.get_http_version() != "1.0"
        if len(hosts) > 1 or (needs_host and not hosts) or not all(map(_is_host, hosts)):
            return HTTPStatus.BAD_REQUEST
        return None

    def _end_with(self, cycle: RequestResponseCycle) -> None:
        """Read nothing more, and hang up once a request that is whole is answered."""
        self._refused = True
        cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if not self._refused:
            super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  it quotes the parser
        self._refuse(HTTPStatus.BAD_REQUEST)

    def on_message_complete(self) -> None:
        self._receiving = False
        if self._refused:
            return
        super().on_message_complete()
        if self.parser.should_upgrade():  # what follows would be of another protocol
            self._end_with(self.cycle)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._receiving and self.cycle.more_body:
            self._refused = True  # answered before the body was whole: nobody reads the rest
            self._end()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer by a status alone; nothing more is read."""
        if self._refused:
            return
        self._refused = True
        if self.cycle is not None and not self.cycle.response_complete:
            if self.cycle.response_started or self._begun > 1:
                self.transport.abort()  # an answer is on its way: a second would be mixed into it
                return
            self.cycle.disconnected = True  # nobody waits for its answer
            self.cycle.message_event.set()
        self.transport.write(self.entrance.refusal(status))
        self._end()
        client = shortened(address_at(self._host))
        facts = {"status": int(status), "client": client, "route": "none"}
        log.info("refused", extra={"facts": facts})

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
