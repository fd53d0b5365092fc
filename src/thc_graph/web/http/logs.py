"""Logs: one line of JSON a request, and one for anything else worth telling.

A line names no one: addresses are shortened (/24, /48), a query is a hash and a
length, and what follows `?` in an address is left out. Every line of a request bears
its id, which the answer gives as X-Request-Id and a fault as its reference.
"""

import hashlib
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thc_graph.web.http.clients import address_of, is_trusted, shortened

PATH: Final = 300  # characters of an address that a line keeps
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")

log = logging.getLogger("thc_graph.requests")


@dataclass
class Seen:
    """A request and how it was answered; status 499 where the client left before."""

    method: str
    route: str = "none"
    status: int = 499
    seconds: float = 0.0
    size: int = 0


class Witness:
    """ASGI middleware: gives each request its id, and tells what became of it."""

    def __init__(self, app: ASGIApp, observe: Callable[[Seen], None]) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        seen, id_, start = Seen(method), _id(connection), time.monotonic()
        _current.set(id_)  # never reset: the answer to a fault is made outside of here

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = id_
            else:
                seen.size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            seen.status = 500
            raise
        finally:
            seen.seconds = time.monotonic() - start
            seen.route = getattr(scope.get("route"), "path", "none")
            self.observe(seen)
            log.info("request", extra={"facts": _facts(connection, seen)})


def request_id() -> str:
    """Return the id of the request at hand."""
    return _current.get() or secrets.token_hex(8)


def note_query(connection: HTTPConnection, text: str) -> None:
    """Let the line of a request tell its query: enough to find it again, not to read it."""
    content = text.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(content).hexdigest()[:16]
    connection.state.query = {"sha256": digest, "bytes": len(content)}


def _id(connection: HTTPConnection) -> str:
    given = connection.headers.get("x-request-id", "")
    if is_trusted(connection) and _ID.fullmatch(given):
        return given
    return secrets.token_hex(8)


def _facts(connection: HTTPConnection, seen: Seen) -> dict[str, Any]:
    query = getattr(connection.state, "query", None)
    return {
        "client": shortened(address_of(connection)),
        "method": seen.method,
        "path": connection.scope["path"][:PATH],
        "route": seen.route,
        "status": seen.status,
        "seconds": round(seen.seconds, 4),
        "bytes": seen.size,
    } | ({"query": query} if query else {})


class Lines(logging.Formatter):
    """A record as one line of JSON, in ASCII: nothing in it can end the line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if _current.get():
            told["request"] = _current.get()
        told |= getattr(record, "facts", {})
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told)


def configure() -> None:
    """Send every log line of this process to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("thc_graph").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out the server's copy of a fault that stands in the log under its reference."""
    return not record.getMessage().startswith("Exception in ASGI application")
