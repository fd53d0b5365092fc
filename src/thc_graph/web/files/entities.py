"""Records: one entity as a file, for those whose tools are not of the web of data.

Its facts as a table, its place for a map, an organisation for an address book. A person
has no card: what is published of persons are their public roles.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from icalendar import Component, vText, vUri
from pyoxigraph import Literal, NamedNode, Triple

from thc_graph import quantities
from thc_graph.entities import describing
from thc_graph.entities.model import Entity, Value
from thc_graph.entities.sources import Source as Origin
from thc_graph.entities.sources import Sources, sources
from thc_graph.instance.reading import Published
from thc_graph.lists import tables
from thc_graph.rdf.terms import DCT, FOAF, PREFIXES, SKOS, THC, A, Namespace, Term
from thc_graph.schema.model import Schema
from thc_graph.search.index import Index
from thc_graph.sheets.tables.writing import WRITERS
from thc_graph.store.history.by_entity import Touches
from thc_graph.store.history.commits import History
from thc_graph.web.files.calendars import PRODUCT
from thc_graph.web.files.forms import Form, Source, json_of
from thc_graph.web.files.geojson import feature
from thc_graph.web.rendering.terms import curie

GEO: Final = Namespace(PREFIXES["geo"])
ORGANISATION: Final = THC["Organisation"]
TEXTS: Final = {"nickname": SKOS["altLabel"], "note": DCT["description"]}
COLUMNS: Final = ("property", "property_iri", "value", "value_iri", "type", "source", "date")


@dataclass(frozen=True)
class Thing:
    """An entity to be written; `path` is that of its page, without suffix.

    `point` is a latitude and a longitude, its own or those of where it stands.
    """

    iri: NamedNode
    told: tuple[Triple, ...]
    path: str
    point: tuple[float, float] | None = None
    changed: datetime | None = None


class Card(Component):
    """A vCard: its lines are folded and its texts escaped as those of iCalendar."""

    name = "VCARD"


@dataclass(frozen=True)
class Record(Form[Thing]):
    """A file that an entity has where it `holds` what the file is for."""

    holds: Callable[[Schema, Thing], bool] = lambda _schema, _thing: True


async def _facts(source: Source[Thing]) -> bytes:
    """Return a row for each fact, with the rows and datasets it was read in."""
    reading, thing = source.reading, source.asked
    fields, origins = await asyncio.gather(
        describing.record(reading, thing.iri, thing.told, source.language),
        sources(reading, thing.iri, source.language),
    )
    rows = [
        (
            field.name or curie(field.property.value),
            field.property.value,
            *_value(value),
            *_origin(origins, (field.property, value.term), source),
        )
        for field in fields
        for value in field.values
    ]
    headings = [source.t(f"record.column.{name}") for name in COLUMNS]
    return await asyncio.to_thread(WRITERS["csv"], headings, rows)


def _value(value: Value) -> tuple[str, str, str]:
    """Return a value as text, its IRI, and its language or type."""
    if isinstance(value.term, Literal):
        return value.term.value, "", value.term.language or curie(value.term.datatype.value)
    iri = getattr(value.term, "value", str(value.term))
    return (value.label.value if value.label else iri), iri, "IRI"


def _origin(
    origins: Sources, fact: tuple[NamedNode, Term], source: Source[Thing]
) -> tuple[str, str]:
    """Return where a fact comes from, and when that was handed in."""
    found = origins.get(fact, ())
    lines = [line for each in found for line in each.lines]
    days = dict.fromkeys(line.date.value for line in lines if line.date)
    told = dict.fromkeys(text for each in found for text in _told(each, source))
    return tables.BETWEEN.join(told), tables.BETWEEN.join(days)


def _told(origin: Origin, source: Source[Thing]) -> Iterator[str]:
    if origin.kind != "dataset":
        yield source.t(f"source.{origin.kind}")
        return
    dataset = origin.dataset
    named = dataset.label.value if dataset.label else getattr(dataset.term, "value", "")
    for line in origin.lines:
        at = source.t("source.line", file=line.name, number=line.number)
        yield f"{named} ({at if line.number else line.name})"
    if not origin.lines:
        yield named


async def _place(source: Source[Thing]) -> bytes:
    """Return where a thing stands as GeoJSON (RFC 7946), as the lists do."""
    thing, iri = source.asked, source.asked.iri.value
    name = (await source.labels([iri])).get(iri)
    return json_of(feature(iri, thing.point, name, f"{source.base}{thing.path}"))


async def _card(source: Source[Thing]) -> bytes:
    """Return an organisation as a vCard 4.0 (RFC 6350)."""
    reading, thing = source.reading, source.asked
    entity = await describing.summary(reading, thing.iri, source.language)
    assert entity is not None
    card = Card()
    card.add("version", "4.0")
    card.add("prodid", vText(PRODUCT))
    card.add("kind", "org")
    for name, text in _lines(entity, source.language):
        card.add(name, text)
    card.add("uid", vUri(thing.iri.value))
    card.add("source", vUri(f"{source.base}{thing.path}.vcf"))
    if thing.changed:
        card.add("rev", f"{thing.changed.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    content: bytes = card.to_ical(sorted=False)
    return content


def _lines(entity: Entity, language: str) -> Iterator[tuple[str, vText | vUri]]:
    name = entity.name or entity.iri.value
    yield from (("fn", _text(name)), ("org", _text(name)))
    for line, property_ in TEXTS.items():
        said = (v.term for v in entity.values(property_) if isinstance(v.term, Literal))
        yield from ((line, _text(t.value)) for t in said if t.language in (language, None))
    for address in _addresses(entity, FOAF["mbox"], "mailto:"):
        yield "email", _text(address.removeprefix("mailto:"))
    for address in _addresses(entity, FOAF["homepage"], "https://", "http://"):
        yield "url", vUri(address)


def _addresses(entity: Entity, property_: NamedNode, *schemes: str) -> Iterator[str]:
    for value in entity.values(property_):
        if isinstance(value.term, NamedNode) and value.term.value.startswith(schemes):
            yield value.term.value


def _text(text: str) -> vText:
    """Return a text of a card; what is no character of a line is left out."""
    return vText("".join(c for c in text if c.isprintable() or c in "\n\t"))


def _is_placed(_schema: Schema, thing: Thing) -> bool:
    return thing.point is not None


def _is_organisation(schema: Schema, thing: Thing) -> bool:
    own = (t.object for t in thing.told if t.subject == thing.iri and t.predicate == A)
    return any(ORGANISATION in schema.ancestors(c) for c in own if isinstance(c, NamedNode))


FORMS: Final = (
    Record("CSV", "csv", "text/csv", _facts),
    Record("GeoJSON", "geojson", "application/geo+json", _place, shown=True, holds=_is_placed),
    Record("vCard", "vcf", "text/vcard", _card, holds=_is_organisation),
)


def of(schema: Schema, thing: Thing) -> tuple[Record, ...]:
    """Return the files that an entity has."""
    return tuple(form for form in FORMS if form.holds(schema, thing))


async def thing(
    reading: Published, history: History, iri: NamedNode, told: Iterable[Triple], path: str
) -> Thing:
    """Return an entity with its place, and when it last changed where the history tells."""
    last, known = (await touches(reading, history)).last(iri), tuple(told)
    changed = datetime.fromisoformat(last.time) if last else None
    point = _own_point(iri, known) or await reading.aside(partial(_standing, reading.index, iri))
    return Thing(iri, known, path, point, changed)


def _own_point(iri: NamedNode, told: Iterable[Triple]) -> tuple[float, float] | None:
    """Return the coordinates among the facts: most places have some, and no index is asked."""
    own = {t.predicate: t.object for t in told if t.subject == iri}
    latitude, longitude = (own.get(GEO[name]) for name in ("lat", "long"))
    if not isinstance(latitude, Literal) or not isinstance(longitude, Literal):
        return None
    north, east = quantities.real(latitude.value), quantities.real(longitude.value)
    return None if north is None or east is None else (north, east)


def _standing(index: Index, iri: NamedNode) -> tuple[float, float] | None:
    return index.points([iri.value]).get(iri.value)


async def touches(reading: Published, history: History) -> Touches:
    """Return which commits touched what, opened once for each publication."""
    return await reading.once("touches", partial(_touches, reading, history))


async def _touches(reading: Published, history: History) -> Touches:
    found = Touches(history, reading.snapshot)
    await reading.aside(lambda: found.packs)
    return found
