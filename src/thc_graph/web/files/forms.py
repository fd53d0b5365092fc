"""Forms: the formats of files, and how one is asked for, made and sent."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

from pyoxigraph import Literal
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from thc_graph.instance.exports import File
from thc_graph.instance.reading import Published
from thc_graph.lists import selection
from thc_graph.web.http.responses import represent, send_file
from thc_graph.web.http.visit import language_of, pages_of

SHOWING: Final = {"page", "vue", "tout", "lang", "format"}  # what says nothing to a file
WHOLE: Final = {"tri"}  # no filter of a list

Asking = TypeVar("Asking")  # what a file answers


@dataclass(frozen=True)
class Source(Generic[Asking]):
    """What a file is made from; `t` says sentences in the reader's language."""

    reading: Published
    asked: Asking
    language: str
    base: str
    title: str
    t: Callable[..., str]

    async def labels(self, iris: list[str]) -> dict[str, str]:
        index = self.reading.index
        found = await self.reading.aside(partial(index.labels, iris, self.language))
        return {iri: label.value for iri, label in found.items() if isinstance(label, Literal)}

    def page_of(self, iri: str) -> str:
        """Return the address of the page about an entity of ours, of any other its IRI."""
        return page_of(self.base, iri)


def page_of(base: str, iri: str) -> str:
    """Return the address of the page about an entity of ours, of any other its IRI."""
    ours = f"{base}/id/"
    return f"{base}/doc/{iri.removeprefix(ours)}" if iri.startswith(ours) else iri


@dataclass(frozen=True)
class Job:
    """What another process writes: a form by its module and suffix, and what it is asked."""

    forms: str
    suffix: str
    asked: Any
    language: str


@dataclass(frozen=True)
class Form(Generic[Asking]):
    """A file format: its name for people; `shown` in the browser rather than saved.

    What has more than `most` entities has no such file.
    """

    name: str
    suffix: str
    media_type: str
    write: Callable[[Source[Asking]], Awaitable[bytes]]
    shown: bool = False
    most: int = selection.MOST


def find(
    forms: Iterable[Form[Asking]], suffix: str = "", media_type: str | None = None
) -> Form[Asking] | None:
    """Return the form of a suffix, else of a media type, None where there is none."""
    known = tuple(forms)
    named = (form for form in known if form.suffix == suffix)
    return next(named, None) or next((f for f in known if f.media_type == media_type), None)


def source(request: Request, reading: Published, asked: Asking) -> Source[Asking]:
    """Return what a file that a request asks for is made from."""
    told, pages = language_of(request), pages_of(request)
    settings = pages.settings
    return Source(reading, asked, told, settings.base, settings.title, pages.translator(told))


async def respond(
    request: Request,
    reading: Published,
    form: Form[Any],
    asked: Any,
    name: str,
    forms: str,
    day: date | None = None,
) -> Response:
    """Answer with a file; `day` is given where it is another one tomorrow.

    `forms` is the module whose `FORMATS` has the form.
    """
    language = language_of(request)
    response = represent(request, reading, b"", form.media_type, language=language, day=day)
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        return response
    disposition = "inline" if form.shown else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}.{form.suffix}"'
    asks = tuple(each for each in request.query_params.multi_items() if each[0] not in SHOWING)
    narrowing = {name for name, _ in asks} - WHOLE
    key = (forms, form.suffix, asks, language, day)
    job = Job(forms, form.suffix, asked, language)
    file = await reading.export((name, *key), job, whole=not narrowing)
    return Streamed(file, response.headers)


class Streamed(Response):
    """A file, sent no faster than it is taken."""

    def __init__(self, file: File, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "content-length": str(file.size)})
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await send_file(self.file, scope, send)


def json_of(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
