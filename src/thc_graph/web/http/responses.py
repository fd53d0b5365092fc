"""Responses: validators, links between representations, and headers every answer bears."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thc_graph import __version__
from thc_graph.instance.exports import File
from thc_graph.instance.reading import Published

RESERVED: Final = ":/%#?=@[]!$&'()*+,;"  # RFC 3986, section 2.2; the rest of an IRI is escaped
REPRESENTED: Final = "thc_graph.represented"  # in the scope of a request, when it is
PARIS: Final = ZoneInfo("Europe/Paris")
SECURITY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

KEPT_BY_NOBODY_ELSE: Final = {"Cache-Control": "private, no-cache"}
OWN: Final = {"Cross-Origin-Resource-Policy": "same-origin"}  # for no other site to read


def etag(commit: str, *representation: str) -> str:
    """Return the validator of one representation at one commit.

    The version of the program counts too: a new template makes new bytes.
    """
    text = "\n".join((commit, __version__, *representation))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'


def civil_date() -> date:
    """Return the day it is in France: what is late, and what is to come, depends on it."""
    return datetime.now(PARIS).date()


def today(request: Request) -> date:
    """Return the day that a request's pages are made for, by the application's clock."""
    found: date = request.app.state.today()
    return found


def represent(
    request: Request,
    published: Published,
    content: bytes,
    media_type: str,
    *,
    language: str = "",
    links: Mapping[str, str] | None = None,
    day: date | None = None,
) -> Response:
    """Return a representation of published data, or 304 where the reader has it already.

    `links` is the Link header, target → parameters. `day` is given where the
    representation depends on the civil date: it is another one after midnight in Paris.
    """
    if content:  # of a file there is none here
        request.scope[REPRESENTED] = True
    made_for = [day.isoformat()] if day else []
    if published.is_behind:  # nobody is to keep it
        headers = {"Vary": "Accept, Accept-Language", "Cache-Control": "no-store"}
        return Response(content, media_type=with_charset(media_type), headers=headers)
    parts = (str(request.url.path), request.url.query, media_type, language, *made_for)
    tag, modified = etag(published.edition, *parts), _modified(published.time, day)
    headers = {
        "ETag": tag,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Vary": "Accept, Accept-Language",
        "Cache-Control": "public, max-age=0, must-revalidate",
    }
    if language:
        headers["Content-Language"] = language
    if links:
        written = ((quote(target, safe=RESERVED), rest) for target, rest in links.items())
        headers["Link"] = ", ".join(f"<{target}>; {rest}" for target, rest in written)
    if is_fresh(request, tag, modified):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=with_charset(media_type), headers=headers)


def _modified(published: datetime, day: date | None) -> datetime:
    """Return when a representation last changed: at its publication, or since at midnight."""
    midnight = datetime.combine(day, time(), PARIS).astimezone(UTC) if day else published
    return max(published, midnight)


def is_fresh(request: Request, tag: str, time: datetime | None) -> bool:
    """Tell whether the reader holds this representation: RFC 9110, section 13.2.2.

    Without `time`, a date in the request tells nothing.
    """
    known = request.headers.get("if-none-match")
    if known is not None:
        tags = [each.strip().removeprefix("W/") for each in known.split(",")]
        return tag in tags or "*" in tags
    since = _date(request.headers.get("if-modified-since", ""))
    return since is not None and time is not None and time <= since


async def send_file(file: File, scope: Scope, send: Send) -> None:
    """Send a file as the body of an answer that has begun; nothing of it for HEAD."""
    if not file.size or scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    async for some, more in file.pieces():
        await send({"type": "http.response.body", "body": some, "more_body": more})


def with_charset(media_type: str) -> str:
    """Name the encoding where the media type's registration has that parameter."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the day, or the hour, that no calendar has
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)


class Frame:
    """ASGI middleware: headers of every answer that has none of its own, no body for HEAD.

    Where nothing `is_shared`, no cache between us and the reader may keep an answer.
    """

    def __init__(self, app: ASGIApp, *, is_shared: bool = True) -> None:
        self.app, self.is_shared = app, is_shared
        headers = SECURITY if is_shared else SECURITY | OWN | KEPT_BY_NOBODY_ELSE
        self.headers = [(n.lower().encode(), value.encode()) for n, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not self.is_shared:
                    message["headers"] = [(n, _private(v)) for n, v in message["headers"]]
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"].extend(each for each in self.headers if each[0] not in given)
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        await self.app(scope, receive, framed)


def _private(value: bytes) -> bytes:
    """Return a value of a header, of Cache-Control for the reader alone."""
    return b"private" + value.removeprefix(b"public") if value.startswith(b"public, ") else value
