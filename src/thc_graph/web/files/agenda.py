"""The files of the agenda: its events, for those who work elsewhere."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Final
from xml.etree import ElementTree as ET

from pyoxigraph import NamedNode

from thc_graph.figures import agenda
from thc_graph.figures.agenda import Asked, Event
from thc_graph.lists import tables
from thc_graph.rdf.terms import Term
from thc_graph.sheets.tables.writing import WRITERS
from thc_graph.web.files import calendars, feeds, forms
from thc_graph.web.files.forms import Form, Source
from thc_graph.web.http.responses import PARIS

PATH: Final = "/agenda"

KIND: Final = PATH.removeprefix("/")

STATES: Final = {"annule": "CANCELLED", "reporte": "TENTATIVE"}  # RFC 5545, section 3.8.1.11
COLUMNS: Final = (
    "iri", "event", "type", "start", "hour", "end", "place", "online", "territories", "series",
    "status", "registration",
)  # fmt: skip


async def _events(source: Source[Asked]) -> list[Event]:
    return await agenda.files(source.reading, source.reading.index, source.asked)


def _names(source: Source[Asked], events: list[Event]) -> Callable[[Term | None], str]:
    """Give what a reader calls the things that events name."""
    terms = [one for each in events for one in (*each.types, *each.territories)]
    terms += [one for each in events for one in (each.series, each.status) if one]
    iris = [one.value for one in dict.fromkeys(terms)]
    labels = source.reading.index.labels(iris, source.language)

    def name(term: Term | None) -> str:
        label = labels.get(term.value) if isinstance(term, NamedNode) else None
        return label.value if label else str(getattr(term, "value", ""))

    return name


async def _csv(source: Source[Asked]) -> bytes:
    events = await _events(source)
    name = _names(source, events)
    headings = [source.t(f"agenda.column.{each}") for each in COLUMNS]
    rows = [
        (
            each.iri.value,
            each.label.value if each.label else "",
            tables.BETWEEN.join(name(one) for one in each.types),
            each.start.value,
            each.hour.value if each.hour else "",
            each.end.value if each.end else "",
            each.place.value if each.place else "",
            name(each.online),
            tables.BETWEEN.join(name(one) for one in each.territories),
            name(each.series),
            name(each.status),
            name(each.registration),
        )
        for each in events
    ]
    return await asyncio.to_thread(WRITERS["csv"], headings, rows)


async def _ics(source: Source[Asked]) -> bytes:
    found = [
        entry for each in await _events(source) if (entry := calendar_entry(each, source.base))
    ]
    name = f"{source.t('agenda.title')} – {source.title}"
    return calendars.calendar(name, found, source.reading.time)


def calendar_entry(event: Event, base: str) -> calendars.Entry | None:
    """Return an event of a calendar; one of which no day is known stands in none."""
    start = _day(event.start.value)
    if start is None:
        return None
    end = _day(event.end.value) if event.end else None
    hour = _hour(event.hour.value) if event.hour else None
    lasts = end is not None and end > start
    timed = hour is not None and not lasts  # of several days, the hour is of the first one only
    told = [event.description.value if event.description else "", _called(event)]
    return calendars.Entry(
        uid=event.iri.value,
        title=event.label.value if event.label else event.iri.value,
        start=datetime.combine(start, hour, PARIS) if timed and hour else start,
        end=end if lasts else None,
        text="\n".join(filter(None, told)),
        place=event.place.value if event.place else "",
        url=forms.page_of(base, event.iri.value),
        status=STATES.get(event.state, "CONFIRMED"),
    )


def _called(event: Event) -> str:
    return event.online.value if event.online else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _hour(text: str) -> time | None:
    try:
        return time.fromisoformat(text[:8])
    except ValueError:
        return None


async def _atom(source: Source[Asked]) -> bytes:
    """Return the events, the last one first, as an Atom feed (RFC 4287)."""
    events = await _events(source)
    updated = source.reading.time.isoformat()
    feed = feeds.begun(f"{source.base}{PATH}", source.t("agenda.title"), source.title, updated)
    for each in reversed(events):
        entry = ET.SubElement(feed, "entry")
        label = each.label.value if each.label else each.iri.value
        feeds.said(entry, "id", each.iri.value)
        feeds.said(entry, "title", f"{each.start.value} – {label}")
        feeds.said(entry, "updated", updated)
        if each.description:
            feeds.said(entry, "summary", each.description.value)
        ET.SubElement(entry, "link", rel="alternate", href=source.page_of(each.iri.value))
    written: bytes = ET.tostring(feed, "utf-8", xml_declaration=True)
    return written


async def _query(source: Source[Asked]) -> bytes:
    return agenda.query_of(source.reading, source.asked).encode()


FORMATS: Final[tuple[Form[Asked], ...]] = (
    Form("iCal", "ics", calendars.MEDIA_TYPE, _ics),
    Form("CSV", "csv", "text/csv", _csv),
    Form("Atom", "atom", "application/atom+xml", _atom, shown=True),
    Form("SPARQL", "rq", "application/sparql-query", _query, shown=True),
)
