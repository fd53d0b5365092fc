"""Files: a whole list, as those who work elsewhere want it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar
from xml.etree import ElementTree as ET

from pyoxigraph import Literal, Triple
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from thc_graph.instance.exports import File
from thc_graph.instance.service import Published
from thc_graph.lists import kinds, selection, tables
from thc_graph.lists.addresses import Asked
from thc_graph.rdf import formats
from thc_graph.sheets.tables.writing import WRITERS, Cell
from thc_graph.web.http.responses import represent, send_file
from thc_graph.web.rendering.templates import language_of, pages_of

SHOWING: Final = {"page", "vue", "tout", "lang", "format"}  # what says nothing to a file
WHOLE: Final = {"tri"}  # no filter of a list
ATOM: Final = "http://www.w3.org/2005/Atom"


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
    forms: str = __name__,
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


async def _iris(source: Source[Asked]) -> list[str]:
    """Return the list, in its order, all pages together."""
    select = partial(selection.select, source.reading.index, source.asked, source.language)
    return (await source.reading.aside(select))[1]


async def _table(suffix: str, source: Source[Asked]) -> bytes:
    reading = source.reading
    classes = kinds.classes_of(reading.schema, source.asked.kind)
    iris, labels = await _iris(source), reading.index.labels
    found = await tables.table(reading, labels, classes, iris, source.language)
    rows: list[tuple[Cell, ...]] = list(found.rows)
    return await asyncio.to_thread(WRITERS[suffix], found.columns, rows)


async def _graph(suffix: str, source: Source[Asked]) -> bytes:
    form = formats.by_suffix(suffix)
    assert form is not None
    triples: list[Triple] = []
    async for some in tables.facts(source.reading, await _iris(source)):
        triples.extend(some)
    return await asyncio.to_thread(formats.write, triples, form, {})


async def _geojson(source: Source[Asked]) -> bytes:
    """Return the places as GeoJSON (RFC 7946); what has no place has no geometry."""
    iris = await _iris(source)
    points = await source.reading.aside(partial(source.reading.index.points, iris))
    labels = await source.labels(iris)
    features = [feature(iri, points.get(iri), labels.get(iri), source.page_of(iri)) for iri in iris]
    return json_of({"type": "FeatureCollection", "features": features})


def feature(
    iri: str, place: tuple[float, float] | None, name: str | None, page: str
) -> dict[str, object]:
    """Return one place as GeoJSON; `place` is a latitude and a longitude."""
    return {
        "type": "Feature",
        "id": iri,
        "geometry": _point(place),
        "properties": {"name": name, "url": page},
    }


def _point(place: tuple[float, float] | None) -> dict[str, object] | None:
    return {"type": "Point", "coordinates": [place[1], place[0]]} if place else None


async def _atom(source: Source[Asked]) -> bytes:
    """Return the list as an Atom feed (RFC 4287).

    An entry is dated by its entity, else by its record sheet, else by the publication.
    """
    reading, iris = source.reading, await _iris(source)
    labels, updated = await source.labels(iris), reading.time.isoformat()
    modified = await tables.modified(reading, iris)
    feed = begun(f"{source.base}/{source.asked.kind}", source.asked.kind, source.title, updated)
    for iri in iris:
        entry = ET.SubElement(feed, "entry")
        said(entry, "id", iri)
        said(entry, "title", labels.get(iri, iri))
        said(entry, "updated", modified.get(iri, updated))
        ET.SubElement(entry, "link", rel="alternate", href=source.page_of(iri))
    written: bytes = ET.tostring(feed, "utf-8", xml_declaration=True)
    return written


def begun(iri: str, name: str, site: str, updated: str) -> ET.Element:
    """Return an Atom feed (RFC 4287) without an entry yet."""
    feed = ET.Element("feed", xmlns=ATOM)
    said(feed, "id", iri)
    said(feed, "title", f"{name} – {site}")
    said(feed, "updated", updated)
    said(ET.SubElement(feed, "author"), "name", site)
    return feed


def said(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = writable(text)


def writable(text: str) -> str:
    """Return a text without what XML 1.0 cannot hold (section 2.2)."""
    return "".join(
        c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text
    )


async def _query(source: Source[Asked]) -> bytes:
    reading = source.reading
    return selection.query_of(reading, reading.index, source.asked).encode()


def json_of(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


_OFFICE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
FORMATS: Final[tuple[Form[Asked], ...]] = (
    Form("CSV", "csv", "text/csv", partial(_table, "csv")),
    Form("XLSX", "xlsx", _OFFICE, partial(_table, "xlsx")),
    # The whole workbook is a tree in memory before it is written: 40 kB a row.
    Form("ODS", "ods", _ODS, partial(_table, "ods"), most=10_000),
    Form("JSON-LD", "jsonld", "application/ld+json", partial(_graph, "jsonld"), shown=True),
    Form("Turtle", "ttl", "text/turtle", partial(_graph, "ttl"), shown=True),
    Form("GeoJSON", "geojson", "application/geo+json", _geojson, shown=True),
    Form("Atom", "atom", "application/atom+xml", _atom, shown=True),
    Form("SPARQL", "rq", "application/sparql-query", _query, shown=True),
)


def of(total: int) -> list[Form[Asked]]:
    """Return the files that a list of so many entities has."""
    return [form for form in FORMATS if total <= form.most]
