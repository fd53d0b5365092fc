"""The agenda: events to come and events past, and whether series keep their rhythm.

An event known by its month or its year is over when that month or year is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf import facts
from thc_graph.rdf.facts import Said
from thc_graph.rdf.terms import DCT, THC, XSD, A, Term, day_of, text_in
from thc_graph.store.library import Filling, Reader
from thc_graph.store.snapshots.artefacts import Index

KIND: Final = "evenement"
SIZE: Final = 50  # events of a page
MOST: Final = 10_000  # events of a file
CHUNK: Final = 500
NEVER: Final = 99_999_999
MONTH: Final = len("2016-03")
SCHEMA: Final = "http://schema.org/"
START, END = NamedNode(f"{SCHEMA}startDate"), NamedNode(f"{SCHEMA}endDate")
ORGANISER: Final = NamedNode(f"{SCHEMA}organizer")
FACETS: Final = ("type", "territoire", "serie")

Value = NamedNode | Literal


@dataclass(frozen=True)
class Asked:
    """What an address asks of the agenda on a day; `filters` are those of the list."""

    today: date
    filters: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    past: bool = False
    number: int = 1
    language: str = "fr"


@dataclass(frozen=True)
class Event:
    iri: NamedNode
    label: Literal | None
    types: tuple[NamedNode, ...]
    start: Literal
    end: Literal | None
    hour: Literal | None
    place: Literal | None
    online: NamedNode | None
    territories: tuple[NamedNode, ...]
    series: NamedNode | None
    organisers: tuple[NamedNode, ...]
    registration: Term | None
    status: NamedNode | None
    description: Literal | None

    @property
    def month(self) -> str:
        """The month in which it starts, or the year where no month is known."""
        return self.start.value[:MONTH]

    @property
    def state(self) -> str:
        """The last part of the status's IRI: prevu, tenu, reporte or annule."""
        return self.status.value.rpartition("/")[2] if self.status else ""


@dataclass(frozen=True)
class Rhythm:
    """A series, how often it is announced, and the periods that went without an event."""

    series: NamedNode
    frequency: NamedNode | None
    events: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Agenda:
    """`total` events, on a page by month; `others` are on the other side of today."""

    asked: Asked
    total: int
    others: int
    months: tuple[tuple[str, tuple[Event, ...]], ...]
    pages: int
    rhythms: tuple[Rhythm, ...]
    labels: Mapping[str, Literal | None]

    def label(self, term: Term | None) -> Literal | None:
        return self.labels.get(term.value) if isinstance(term, NamedNode) else None


async def agenda(reader: Reader, index: Index, asked: Asked) -> Agenda | None:
    """Return a page of the agenda, None where it has no such page."""
    total, iris = _select(index, asked, (asked.number - 1) * SIZE, SIZE)
    pages = max(1, -(-total // SIZE))
    if not 1 <= asked.number <= pages:
        return None
    found = await read(reader, index, iris, asked.language)
    # Found by the day they end, they are told by the day they begin.
    events = sorted(found, key=lambda e: day_of(e.start.value), reverse=asked.past)
    others = index.total(_narrowed(index, asked, past=not asked.past))
    months = tuple((month, tuple(each)) for month, each in groupby(events, lambda e: e.month))
    # Which periods are over depends on the day.
    kept = await reader.once(("agenda/rhythms", asked.today), partial(rhythms, reader, index))
    named = [term for each in events for term in _terms(each)]
    named += [term for each in kept for term in (each.series, each.frequency) if term]
    labels = index.labels([term.value for term in dict.fromkeys(named)], asked.language)
    return Agenda(asked, total, others, months, pages, kept, labels)


async def files(reader: Reader, index: Index, asked: Asked) -> list[Event]:
    """Return all events that meet the filters, those past and those to come, by date."""
    filters = {name: [str(v) for v in values] for name, values in asked.filters.items()}
    _, iris = index.select(index.listed(KIND, (), filters), "ends", 0, MOST)
    return await read(reader, index, iris, asked.language)


def _select(index: Index, asked: Asked, offset: int, limit: int) -> tuple[int, list[str]]:
    found = _narrowed(index, asked, past=asked.past)
    return index.select(found, "ends", offset, limit, descending=asked.past)


def _narrowed(index: Index, asked: Asked, *, past: bool) -> Any:
    filters = {name: [str(v) for v in values] for name, values in asked.filters.items()}
    today = day_of(asked.today.isoformat())
    first, last = (1, today - 1) if past else (today, NEVER)
    return index.between(index.listed(KIND, (), filters), "ends", first, last)


async def read(reader: Reader, index: Index, iris: Sequence[str], language: str) -> list[Event]:
    """Return events in the order asked for; what is none is left out."""
    found: list[Event] = []
    labels = index.labels(iris, language)
    for first in range(0, len(iris), CHUNK):
        entities = [NamedNode(each) for each in iris[first : first + CHUNK]]
        said = facts.by_subject(await reader.graph("agenda/facts", evenement=entities))
        events = (_event(each, said.get(each, {}), labels, language) for each in entities)
        found.extend(each for each in events if each)
    return found


def _event(
    iri: NamedNode, said: Said, labels: Mapping[str, Literal | None], language: str
) -> Event | None:
    start = facts.literal(said, START)
    if start is None:
        return None
    return Event(
        iri,
        labels.get(iri.value),
        facts.iris(said, A),
        start,
        facts.literal(said, END),
        facts.literal(said, THC["heure"]),
        text_in(facts.texts(said, THC["lieu"]), language),
        facts.iri(said, THC["lienVisio"]),
        facts.iris(said, THC["territoire"]),
        facts.iri(said, THC["serie"]),
        facts.iris(said, ORGANISER),
        facts.one(said, THC["inscription"]),
        facts.iri(said, THC["statutEvenement"]),
        text_in(facts.texts(said, DCT["description"]), language),
    )


def _terms(event: Event) -> Iterable[NamedNode]:
    terms = [*event.types, *event.territories, *event.organisers, event.series, event.status]
    return [each for each in terms if each is not None]


async def rhythms(reader: Reader, index: Index) -> tuple[Rhythm, ...]:
    """Return every series, with the periods in which its frequency announced an event."""
    missing: dict[Term, list[str]] = defaultdict(list)
    for row in await reader.bindings("check/periodes-sans-evenement"):
        value = row["value"]
        missing[row["focus"]] += [value.value] if isinstance(value, Literal) else []
    found = []
    for row in await reader.bindings("agenda/series"):
        series, frequency = row["serie"], row.get("frequence")
        if isinstance(series, NamedNode):
            events = index.total(index.listed(KIND, (), {"serie": [str(series)]}))
            known = frequency if isinstance(frequency, NamedNode) else None
            found.append(Rhythm(series, known, events, tuple(missing[series])))
    return tuple(found)


def query_of(reader: Reader, asked: Asked) -> str:
    """Return the SPARQL query whose events are those of the agenda, all pages together."""
    filled: dict[str, Filling] = {
        name: values for name, values in asked.filters.items() if name in FACETS and values
    }
    filled["avant" if asked.past else "depuis"] = Literal(
        asked.today.isoformat(), datatype=XSD["date"]
    )
    return reader.library.fill("agenda/events", **filled)
