"""Packing: what travels is compressed, for whoever unpacks it (RFC 9110, section 8.4).

One place for all that is public: pages, files, answers of SPARQL, styles and scripts. A whole
representation is packed once and kept with its publication, what never changes as long as
the program runs; a file is packed as it passes to its first reader, and kept for the next.
Each coding has its own validator: the plain one's with the coding's name at its end.

Nothing here refuses: an answer has begun. What takes long is done in threads, at places of
which each client has its turn; who hangs up gives up its own.

What may hold a secret is never packed, since its length would tell of it (BREACH): answers
to whoever says who they are, and what is for one reader alone.
"""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thc_graph.instance.cache import digest
from thc_graph.instance.exports import Exports, File
from thc_graph.instance.reading import Published
from thc_graph.store.engine.lanes import Places, Room
from thc_graph.web.http.clients import client_of
from thc_graph.web.http.hangups import Ear
from thc_graph.web.http.negotiation import codings
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import send_file

LEAST: Final = 1024  # bytes; below, what is won is less than the headers that tell of it
LARGE: Final = 64 << 10  # bytes; above, others would wait for the packing
ROOM: Final = Room(2, 1 << 30, share=1)  # threads that pack; whoever has an answer may wait
PATIENCE: Final = 3600.0  # seconds, longer than any answer lasts
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
        self.places, self.threads = Places(ROOM), ThreadPoolExecutor(ROOM.workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_known(headers := Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        liked = codings(", ".join(headers.getlist("accept-encoding")), OFFERED)
        held = ", ".join(headers.getlist("if-none-match"))
        if held:
            _unmark(scope, liked)
        ear = Ear(receive)
        try:
            await self.app(scope, receive, Answer(self, scope, ear, send, liked, held).send)
        finally:
            ear.close()

    async def packed(
        self, answer: "Answer", headers: Headers, content: bytes, coding: str
    ) -> bytes:
        """Return a whole representation packed; kept where it has a validator."""
        tag, caching = headers.get("etag"), headers.get("cache-control", "")
        if tag is not None and "immutable" in caching:
            if (tag, coding) not in self.kept:
                level = BEST if len(content) < LARGE else GOOD
                self.kept[tag, coding] = await self._pack(answer, content, coding, level)
            return self.kept[tag, coding]
        reading = published(answer.scope) if tag is not None and "no-store" not in caching else None
        if reading is None:
            return await self._pack(answer, content, coding, LEVEL)
        name = digest(tag, coding)
        kept: bytes | None = reading.packed.get(name)
        if kept is None:
            kept = await self._pack(answer, content, coding, LEVEL)
            reading.packed.put(name, kept)
        return kept

    async def _pack(self, answer: "Answer", content: bytes, coding: str, level: int) -> bytes:
        work = partial(_PACK[coding], content, level)
        return work() if len(content) < LARGE and level == LEVEL else await answer.aside(work)

    async def aside(self, scope: Scope, work: Callable[[], bytes]) -> bytes:
        """Return what `work` gives, made in a thread when it is its client's turn."""
        client = client_of(Request(scope))
        await self.places.enter(asyncio.get_running_loop().time() + PATIENCE, client)
        doing = asyncio.get_running_loop().run_in_executor(self.threads, work)
        doing.add_done_callback(lambda _: self.places.leave(client))  # it cannot be stopped
        return await asyncio.shield(doing)


def published(scope: Scope) -> Published | None:
    """Return where what is packed of an answer is kept, None where it is not to be."""
    service = scope["app"].state.service
    return service.published if service.is_ready and not service.published.is_behind else None


@dataclass
class Answer:
    """One answer on its way: its head waits for the first bytes of its body."""

    packing: Packing
    scope: Scope
    ear: Ear
    onward: Send
    liked: Sequence[str]
    held: str  # the validators that the reader has
    start: Message = field(default_factory=dict)
    stream: "Stream | None" = None
    is_over: bool = False  # sent from what was kept, or to nobody: the rest goes nowhere

    async def send(self, message: Message) -> None:
        if not self.is_over:
            try:
                await self._pass(message)
            except Problem:  # nobody listens: who answers is not to blame
                self.is_over = True

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif self.start:
            await self._begin(message)
        elif self.stream is not None:
            await self.onward(await self._streamed(self.stream, message))
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
            packed = await self.packing.packed(self, headers, content, coding)
            _mark(headers, coding, len(packed))
            message = {**message, "body": packed}
        elif coding and (not is_whole or self._is_head_of_more(headers, content)):
            exports, name = self._exports(headers), digest(headers.get("etag"), coding)
            file = exports.packed.get(name) if exports is not None else None
            _mark(headers, coding, file.size if file else None)
            if file is not None:
                await self._send(start, file)
                return
            self.stream = Stream(coding, exports, name, is_empty=self.scope["method"] == "HEAD")
            message = await self._streamed(self.stream, message)
        await self.onward(start)
        await self.onward(message)

    async def _streamed(self, stream: "Stream", message: Message) -> Message:
        content, more = message.get("body", b""), message.get("more_body", False)
        if stream.is_empty or (more and not content):
            return {**message, "body": b""}
        work = partial(stream.packed, content, more=more)
        content = await self.aside(work)
        if not more:
            stream.keep()
        return {**message, "body": content}

    async def aside(self, work: Callable[[], bytes]) -> bytes:
        """Return what `work` gives, made in a thread while the client listens."""
        return await self.ear.during(self.packing.aside(self.scope, work))

    def _exports(self, headers: Headers) -> Exports | None:
        """Return where a file of the publication is kept packed; other streams are not."""
        if "etag" not in headers or "content-disposition" not in headers:
            return None
        reading = published(self.scope)
        return reading.exports if reading is not None else None

    async def _send(self, start: Message, file: File) -> None:
        self.is_over = True
        await self.onward(start)
        await send_file(file, self.scope, self.onward)

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
    """A body packed as it passes, none of it for HEAD; kept among `exports` where there are any."""

    def __init__(
        self, coding: str, exports: Exports | None, name: bytes, *, is_empty: bool
    ) -> None:
        self.is_empty, self.exports, self.name = is_empty, exports, name
        self.file = exports.blank() if exports is not None and not is_empty else None
        if coding == BR:
            compressor = brotli.Compressor(quality=LEVEL)
            self.add, self.end = compressor.process, compressor.finish
        else:
            zipped = zlib.compressobj(LEVEL, wbits=zlib.MAX_WBITS | 16)  # with gzip's own head
            self.add, self.end = zipped.compress, zipped.flush

    def packed(self, content: bytes, *, more: bool) -> bytes:
        done: bytes = self.add(content)
        if not more:
            done += self.end()
        if self.file is not None:
            try:
                self.file.add(done)
            except OSError:  # the disk is full: it is packed again for the next
                self.file = None
        return done

    def keep(self) -> None:
        """Keep what has passed to its end."""
        if self.file is not None and self.exports is not None:
            self.exports.packed.put(self.name, self.file)


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
    return "authorization" in headers  # no cookie is ours: what is in one chooses nothing


def _is_private(headers: Headers) -> bool:
    return "set-cookie" in headers or "private" in headers.get("cache-control", "")


def _is_packed(content_type: str) -> bool:
    """Tell whether what is of a type is compressed by itself."""
    media_type = content_type.partition(";")[0].strip().lower()
    is_family = media_type.startswith(PACKED_FAMILIES) and media_type != SVG
    return is_family or media_type in PACKED
