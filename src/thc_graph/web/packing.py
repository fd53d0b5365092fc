"""Packing: what travels is compressed, for whoever unpacks it (RFC 9110, section 8.4).

One place for all that is public: pages, files, answers of SPARQL, styles and scripts. A whole
representation is packed once and kept with its publication, what never changes as long as
the program runs; a stream is packed as it passes. Each coding has its own validator: the
plain one's with the coding's name at its end.

What may hold a secret is never packed, since its length would tell of it (BREACH): answers
to whoever says who they are, and what is for one reader alone.
"""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thc_graph.cache import digest
from thc_graph.service import Service
from thc_graph.web.negotiation import codings

LEAST: Final = 1024  # bytes; below, what is won is less than the headers that tell of it
LARGE: Final = 64 << 10  # bytes; above, others would wait for the packing
LEVEL: Final = 5  # of both codings, for what is packed while a reader waits
BEST, GOOD = 11, 9  # for what is packed once for all; a megabyte at the best would take a second
BR, GZIP = "br", "gzip"
OFFERED: Final = (BR, GZIP)  # in our order of preference
NOT_MODIFIED: Final = 304
WITHOUT: Final = frozenset(
    {204, 206, NOT_MODIFIED}
)  # statuses of no body, or of a part of a plain one
PACKED_FAMILIES: Final = ("image/", "font/", "audio/", "video/")
PACKED: Final = frozenset(
    {
        "application/gzip",
        "application/zip",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)
SVG: Final = "image/svg+xml"

_PACK: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    BR: lambda content, level: brotli.compress(content, quality=level),
    GZIP: lambda content, level: gzip.compress(content, min(level, GOOD), mtime=0),
}


class Packing:
    """ASGI middleware: packs the answers of the application inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.kept: dict[tuple[str, str], bytes] = {}  # of what never changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_known(headers := Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        liked = codings(", ".join(headers.getlist("accept-encoding")), OFFERED)
        held = ", ".join(headers.getlist("if-none-match"))
        if held:
            _unmark(scope, liked)
        answer = Answer(self, scope, send, liked, held)
        await self.app(scope, receive, answer.send)

    async def packed(self, scope: Scope, headers: Headers, content: bytes, coding: str) -> bytes:
        """Return a whole representation packed; kept where it has a validator."""
        tag, caching = headers.get("etag"), headers.get("cache-control", "")
        if tag is None or "no-store" in caching:
            return await pack(content, coding, LEVEL)
        if "immutable" in caching:
            if (tag, coding) not in self.kept:
                level = BEST if len(content) < LARGE else GOOD
                self.kept[tag, coding] = await pack(content, coding, level)
            return self.kept[tag, coding]
        return await _kept(scope["app"].state.service, tag, content, coding)


async def _kept(service: Service, tag: str, content: bytes, coding: str) -> bytes:
    """Return what is packed, kept with the publication it comes from."""
    make = partial(pack, content, coding, LEVEL)
    if not service.is_ready:
        return await make()
    return await service.published.page(digest("packed", tag, coding), make) or b""


@dataclass
class Answer:
    """One answer on its way: its head waits for the first bytes of its body."""

    packing: Packing
    scope: Scope
    onward: Send
    liked: Sequence[str]
    held: str  # the validators that the reader has
    start: Message = field(default_factory=dict)
    stream: "Stream | None" = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif self.start:
            await self._begin(message)
        elif self.stream is not None:
            await self.onward(await self.stream.packed(message))
        else:
            await self.onward(message)

    async def _begin(self, message: Message) -> None:
        """Send the head and the first bytes on, packed where that is of use."""
        start, self.start = self.start, {}
        headers = MutableHeaders(scope=start)
        coding = self._coding(start["status"], headers)
        content, is_whole = message.get("body", b""), not message.get("more_body")
        if start["status"] == NOT_MODIFIED:
            self._mark_known(headers)
        elif coding and is_whole and len(content) >= LEAST:
            packed = await self.packing.packed(self.scope, headers, content, coding)
            _mark(headers, coding, len(packed))
            message = {**message, "body": packed}
        elif coding and (not is_whole or self._is_head_of_more(headers, content)):
            _mark(headers, coding)
            self.stream = Stream(coding, is_empty=self.scope["method"] == "HEAD")
            message = await self.stream.packed(message)
        await self.onward(start)
        await self.onward(message)

    def _coding(self, status: int, headers: MutableHeaders) -> str:
        """Return the coding of an answer, "" for none; tell caches that it was chosen."""
        if _is_private(headers) or "content-encoding" in headers:
            return ""
        if status != NOT_MODIFIED and _is_packed(headers.get("content-type", "")):
            return ""
        headers.add_vary_header("Accept-Encoding")
        return self.liked[0] if self.liked and status not in WITHOUT else ""

    def _mark_known(self, headers: MutableHeaders) -> None:
        """Name, in an answer without content, the representation that the reader has."""
        tag = headers.get("etag", "")
        named = [_marked(tag, each) for each in self.liked]
        fresh = [each for each in (*named, tag) if each in self.held] or [*named, tag]
        if tag:
            headers["etag"] = fresh[0]

    def _is_head_of_more(self, headers: MutableHeaders, content: bytes) -> bool:
        """Tell whether HEAD leaves out a body that GET would pack as it passes."""
        length = headers.get("content-length", "0")
        return self.scope["method"] == "HEAD" and not content and int(length) >= LEAST


class Stream:
    """A body packed as it passes; none of it for HEAD."""

    def __init__(self, coding: str, *, is_empty: bool) -> None:
        self.is_empty = is_empty
        if coding == BR:
            compressor = brotli.Compressor(quality=LEVEL)
            self.add, self.end = compressor.process, compressor.finish
        else:
            zipped = zlib.compressobj(LEVEL, wbits=zlib.MAX_WBITS | 16)  # with gzip's own head
            self.add, self.end = zipped.compress, zipped.flush

    async def packed(self, message: Message) -> Message:
        content = message.get("body", b"")
        if self.is_empty or not (content or not message.get("more_body")):
            return {**message, "body": b""}
        return {**message, "body": await asyncio.to_thread(self._packed, message)}

    def _packed(self, message: Message) -> bytes:
        done: bytes = self.add(message.get("body", b""))
        return done if message.get("more_body") else done + self.end()


async def pack(content: bytes, coding: str, level: int) -> bytes:
    if len(content) < LARGE and level == LEVEL:
        return _PACK[coding](content, level)
    return await asyncio.to_thread(_PACK[coding], content, level)


def _mark(headers: MutableHeaders, coding: str, length: int | None = None) -> None:
    """Tell of a coding; without `length`, that of the body is not known beforehand."""
    headers["content-encoding"] = coding
    del headers["content-length"], headers["accept-ranges"]
    if length is not None:
        headers["content-length"] = str(length)
    if "etag" in headers:
        headers["etag"] = _marked(headers["etag"], coding)


def _marked(tag: str, coding: str) -> str:
    return f'{tag[:-1]}-{coding}"'


def _unmark(scope: Scope, liked: Sequence[str]) -> None:
    """Write the validators of packed representations in a request as the plain one's.

    Those of a coding that the reader takes no more stay, and are nobody's.
    """

    def plain(value: bytes) -> bytes:
        for each in liked:
            value = value.replace(f'-{each}"'.encode(), b'"')
        return value

    scope["headers"] = [
        (name, plain(value) if name == b"if-none-match" else value)
        for name, value in scope["headers"]
    ]


def _is_known(headers: Headers) -> bool:
    """Tell whether a request says whose it is."""
    return "authorization" in headers or "cookie" in headers


def _is_private(headers: Headers) -> bool:
    return "set-cookie" in headers or "private" in headers.get("cache-control", "")


def _is_packed(content_type: str) -> bool:
    """Tell whether what is of a type is compressed by itself."""
    media_type = content_type.partition(";")[0].strip().lower()
    is_family = media_type.startswith(PACKED_FAMILIES) and media_type != SVG
    return is_family or media_type in PACKED
