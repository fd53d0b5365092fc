"""Files: a whole list, as those who work elsewhere want it."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from thc_graph.lists import kinds, selection, tables
from thc_graph.lists.addresses import Asked
from thc_graph.rdf import formats
from thc_graph.sheets.tables.writing import WRITERS, Cell
from thc_graph.web.files.feeds import begun, said
from thc_graph.web.files.forms import Form, Source, json_of
from thc_graph.web.files.geojson import feature

if TYPE_CHECKING:
    from pyoxigraph import Triple


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


async def _query(source: Source[Asked]) -> bytes:
    reading = source.reading
    return selection.query_of(reading, reading.index, source.asked).encode()


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
