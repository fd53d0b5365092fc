"""Files: a whole list, as those who work elsewhere want it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar
from xml.etree import ElementTree as ET

from pyoxigraph import Literal, Triple

from thc_graph import tables
from thc_graph.lists import kinds, selection
from thc_graph.lists.addresses import Asked
from thc_graph.rdf import formats
from thc_graph.service import Published
from thc_graph.sheets.tablefiles import WRITERS, Cell

ATOM: Final = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Source:
    """What a file is made from."""

    reading: Published
    asked: Asked
    language: str
    base: str
    title: str

    async def iris(self) -> list[str]:
        """Return the list, in its order, all pages together."""
        select = partial(selection.select, self.reading.index, self.asked, self.language)
        return (await self.reading.aside(select))[1]

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


From = TypeVar("From")  # what a file is made from


@dataclass(frozen=True)
class Form(Generic[From]):
    """A file format: its name for people; `shown` in the browser rather than saved.

    What has more than `most` entities has no such file.
    """

    name: str
    suffix: str
    media_type: str
    write: Callable[[From], Awaitable[bytes]]
    shown: bool = False
    most: int = selection.MOST


async def _table(suffix: str, source: Source) -> bytes:
    reading = source.reading
    classes = kinds.classes_of(reading.schema, source.asked.kind)
    iris, labels = await source.iris(), reading.index.labels
    found = await tables.table(reading, labels, classes, iris, source.language)
    rows: list[tuple[Cell, ...]] = list(found.rows)
    return await asyncio.to_thread(WRITERS[suffix], found.columns, rows)


async def _graph(suffix: str, source: Source) -> bytes:
    form = formats.by_suffix(suffix)
    assert form is not None
    triples: list[Triple] = []
    async for some in tables.facts(source.reading, await source.iris()):
        triples.extend(some)
    return await asyncio.to_thread(formats.write, triples, form, {})


async def _geojson(source: Source) -> bytes:
    """Return the places as GeoJSON (RFC 7946); what has no place has no geometry."""
    iris = await source.iris()
    points = await source.reading.aside(partial(source.reading.index.points, iris))
    labels = await source.labels(iris)
    features = [
        {
            "type": "Feature",
            "id": iri,
            "geometry": _point(points.get(iri)),
            "properties": {"name": labels.get(iri), "url": source.page_of(iri)},
        }
        for iri in iris
    ]
    return json_of({"type": "FeatureCollection", "features": features})


def _point(place: tuple[float, float] | None) -> dict[str, object] | None:
    return {"type": "Point", "coordinates": [place[1], place[0]]} if place else None


async def _atom(source: Source) -> bytes:
    """Return the list as an Atom feed (RFC 4287).

    An entry is dated by its entity, else by its record sheet, else by the publication.
    """
    reading, iris = source.reading, await source.iris()
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


async def _query(source: Source) -> bytes:
    reading = source.reading
    return selection.query_of(reading, reading.index, source.asked).encode()


def json_of(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


_OFFICE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
FORMATS: Final = (
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


def of(total: int) -> list[Form[Source]]:
    """Return the files that a list of so many entities has."""
    return [form for form in FORMATS if total <= form.most]


def by_suffix(suffix: str) -> Form[Source] | None:
    return next((form for form in FORMATS if form.suffix == suffix), None)


def by_media_type(media_type: str) -> Form[Source]:
    return next(form for form in FORMATS if form.media_type == media_type)
