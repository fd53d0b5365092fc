"""Sharing: pages of other sites may read all that is public (Fetch standard, section 3.2, CORS).

They ask before they send what a plain form could not, a long `Accept` for example; every
address answers, those too where nothing is, so that a 404 can be read. What an answer
keeps for its own site (`Cross-Origin-Resource-Policy: same-origin`) stays its own. The
editors' door shares nothing.
"""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPTIONS: Final = "OPTIONS"
NO_CONTENT: Final = 204
READING: Final = "GET, HEAD, OPTIONS"  # what may be asked where nothing is
SHARED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Allow, Content-Disposition, Content-Encoding, ETag, Link, Location, Retry-After, Vary, "
        "X-Empty-Graph, X-Request-Id, X-Truncated"
    ),
}
# `*` is for all but Authorization, and a name of its own to older browsers.
ASKED: Final = (
    "*, Accept, Accept-Language, Cache-Control, Content-Type, If-Modified-Since, If-None-Match, "
    "Range, User-Agent, X-Requested-With"
)
DAY: Final = "86400"  # seconds in which a browser need not ask again


class Sharing:
    """ASGI middleware: lets other sites read, and answers what they ask before they do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_asking = scope["method"] == OPTIONS

        async def shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = _allowing(scope, message) if is_asking else message
                headers = MutableHeaders(scope=message)
                if headers.get("cross-origin-resource-policy") != "same-origin":
                    headers.update(SHARED)
            elif is_asking:
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, shared)


def _allowing(scope: Scope, start: Message) -> Message:
    """Return the head of an answer to OPTIONS, whatever is at the address."""
    methods = Headers(scope=start).get("allow", READING)
    headers = MutableHeaders({"Allow": methods})
    if "access-control-request-method" in Headers(scope=scope):
        headers["Access-Control-Allow-Methods"] = methods
        headers["Access-Control-Allow-Headers"] = ASKED
        headers["Access-Control-Max-Age"] = DAY
    return {**start, "status": NO_CONTENT, "headers": headers.raw}
