"""Headers: what a request's are before any address reads them."""

from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

Header = tuple[bytes, bytes]

LISTS: Final = frozenset(
    {
        b"accept", b"accept-charset", b"accept-encoding", b"accept-language",
        b"access-control-request-headers", b"cache-control", b"connection", b"forwarded",
        b"if-match", b"if-none-match", b"prefer", b"te", b"trailer", b"via", b"x-forwarded-for",
    }
)  # fmt: skip


class Lists:
    """ASGI middleware: a list that came on several lines is one (RFC 9110, section 5.3)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = joined(scope["headers"])
        await self.app(scope, receive, send)


def joined(headers: Iterable[Header]) -> list[Header]:
    """Return headers with each list on one line, where its first part stood."""
    found: list[tuple[bytes, list[bytes]]] = []
    lists: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in lists:
            lists[name].append(value)
            continue
        found.append((name, [value]))
        if name in LISTS:
            lists[name] = found[-1][1]
    return [(name, b", ".join(values)) for name, values in found]
