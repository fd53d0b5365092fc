"""The agenda over HTTP: `/agenda`, its files, and each event as a file for one's own calendar."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Final
from xml.etree import ElementTree as ET

from babel.dates import format_date
from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph import agenda, lists, tables
from thc_graph.agenda import Asked, Event
from thc_graph.rdf.terms import Term
from thc_graph.service import Published
from thc_graph.sheets.tablefiles import WRITERS
from thc_graph.web import calendars, charts, files
from thc_graph.web.entities import HTML
from thc_graph.web.files import Form
from thc_graph.web.lists import Address
from thc_graph.web.negotiation import choose
from thc_graph.web.problems import Problem
from thc_graph.web.rendering import language_of, pages_of
from thc_graph.web.responses import PARIS, represent, today
from thc_graph.web.routing import Router

router = Router()

PATH: Final = "/agenda"
KIND: Final = PATH.removeprefix("/")
PLAIN: Final = ("periode", "page", "lang")
PAST: Final = "passe"
STATES: Final = {"annule": "CANCELLED", "reporte": "TENTATIVE"}  # RFC 5545, section 3.8.1.11
COLUMNS: Final = (
    "iri", "event", "type", "start", "hour", "end", "place", "online", "territories", "series",
    "status", "registration",
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What a file of events is made from."""

    reading: Published
    asked: Asked
    base: str
    title: str
    t: Callable[..., str]

    async def events(self) -> list[Event]:
        return await agenda.files(self.reading, self.reading.index, self.asked)

    def names(self, events: list[Event]) -> Callable[[Term | None], str]:
        """Give what a reader calls the things that events name."""
        terms = [one for each in events for one in (*each.types, *each.territories)]
        terms += [one for each in events for one in (each.series, each.status) if one]
        iris = [one.value for one in dict.fromkeys(terms)]
        labels = self.reading.index.labels(iris, self.asked.language)

        def name(term: Term | None) -> str:
            label = labels.get(term.value) if isinstance(term, NamedNode) else None
            return label.value if label else str(getattr(term, "value", ""))

        return name


async def _csv(source: Source) -> bytes:
    events = await source.events()
    name = source.names(events)
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


async def _ics(source: Source) -> bytes:
    found = [entry for each in await source.events() if (entry := _entry(each, source.base))]
    name = f"{source.t('agenda.title')} – {source.title}"
    return calendars.calendar(name, found, source.reading.time)


def _entry(event: Event, base: str) -> calendars.Entry | None:
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
        url=files.page_of(base, event.iri.value),
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


async def _atom(source: Source) -> bytes:
    """Return the events, the last one first, as an Atom feed (RFC 4287)."""
    events = await source.events()
    updated = source.reading.time.isoformat()
    feed = files.begun(f"{source.base}{PATH}", source.t("agenda.title"), source.title, updated)
    for each in reversed(events):
        entry = ET.SubElement(feed, "entry")
        label = each.label.value if each.label else each.iri.value
        files.said(entry, "id", each.iri.value)
        files.said(entry, "title", f"{each.start.value} – {label}")
        files.said(entry, "updated", updated)
        if each.description:
            files.said(entry, "summary", each.description.value)
        ET.SubElement(
            entry, "link", rel="alternate", href=files.page_of(source.base, each.iri.value)
        )
    written: bytes = ET.tostring(feed, "utf-8", xml_declaration=True)
    return written


async def _query(source: Source) -> bytes:
    return agenda.query_of(source.reading, source.asked).encode()


FORMATS: Final = (
    Form("iCal", "ics", calendars.MEDIA_TYPE, _ics),
    Form("CSV", "csv", "text/csv", _csv),
    Form("Atom", "atom", "application/atom+xml", _atom, shown=True),
    Form("SPARQL", "rq", "application/sparql-query", _query, shown=True),
)
OFFERED: Final = (HTML, *(form.media_type for form in FORMATS))


@router.get(PATH)
async def page(request: Request, reading: Published) -> Response:
    media_type = choose(request.headers.get("accept", ""), OFFERED)
    suffix = request.query_params.get("format", "")
    form = next((f for f in FORMATS if suffix == f.suffix or media_type == f.media_type), None)
    if form is not None:
        return await _file(request, reading, form)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    asked, told = _read(request, reading), language_of(request)
    key = (str(request.url.path), request.url.query, told, asked.today)
    content = await reading.page(key, partial(_content, request, reading, asked))
    if content is None:
        raise Problem(404, "NotFound")
    address = _address(request, reading, asked)
    links = {address.to(f.suffix): f'rel="alternate"; type="{f.media_type}"' for f in FORMATS}
    return represent(request, reading, content, HTML, language=told, links=links, day=asked.today)


@router.get(f"{PATH}.{{suffix}}")
async def file(suffix: str, request: Request, reading: Published) -> Response:
    form = next((each for each in FORMATS if each.suffix == suffix), None)
    if form is None:
        raise Problem(404, "NotFound")
    return await _file(request, reading, form)


@router.get("/doc/evenement/{key}.ics")
async def event(key: str, request: Request, reading: Published) -> Response:
    """Return one event for one's own calendar."""
    settings, told = request.app.state.service.settings, language_of(request)

    async def make() -> bytes | None:
        iri = f"{settings.base}/id/{agenda.KIND}/{key}"
        events = await agenda.read(reading, reading.index, [iri], told)
        entries = [entry for each in events if (entry := _entry(each, settings.base))]
        name = entries[0].title if entries else ""
        return calendars.calendar(name, entries, reading.time) if entries else None

    content = await reading.page((str(request.url.path), told), make)
    if content is None:
        raise Problem(404, "NotFound")
    response = represent(request, reading, content, calendars.MEDIA_TYPE, language=told)
    response.headers["Content-Disposition"] = f'attachment; filename="{agenda.KIND}.ics"'
    return response


async def _content(request: Request, reading: Published, asked: Asked) -> bytes | None:
    found = await agenda.agenda(reading, reading.index, asked)
    if found is None:
        return None
    index = reading.index
    every = index.counts(index.listed(agenda.KIND, (), {}), "at", 50)
    territories = [NamedNode(each) for each in every]
    types = lists.classes_of(reading.schema, agenda.KIND)
    named = [*territories, *types]
    return pages_of(request).render(
        "agenda.html",
        request,
        asked.language,
        agenda=found,
        address=_address(request, reading, asked),
        token=partial(_token, request, reading),
        territories=territories,
        types=types,
        names=index.labels([each.value for each in named], asked.language),
        first_day=charts.first_day,
        period=partial(_period, asked.language),
        files=FORMATS,
        query=agenda.query_of(reading, asked),
    )


def _period(language: str, text: str) -> str:
    """Return the months of a period, "2016-04/2016-06", as people write them."""
    days = [date.fromisoformat(f"{month}-01") for month in text.split("/")]
    return " – ".join(format_date(day, "MMM y", locale=language) for day in days)


async def _file(request: Request, reading: Published, form: Form[Source]) -> Response:
    asked = _read(request, reading)
    settings, pages = request.app.state.service.settings, pages_of(request)
    source = Source(reading, asked, settings.base, settings.title, pages.translator(asked.language))
    key = (form.suffix, str(request.url.path), request.url.query, asked.language, asked.today)
    content = await reading.page(key, partial(form.write, source))
    assert content is not None
    # Only the query says what day it is; the events of a file are those past and to come.
    day = asked.today if form.suffix == "rq" else None
    response = represent(
        request, reading, content, form.media_type, language=asked.language, day=day
    )
    disposition = "inline" if form.shown else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{KIND}.{form.suffix}"'
    return response


def _read(request: Request, reading: Published) -> Asked:
    """Return what an address asks for; what it says of nothing we know is left out."""
    given = request.query_params
    kept = [pair for pair in given.multi_items() if pair[0] in agenda.FACETS]
    base, number = request.app.state.service.settings.base, given.get("page", "1")
    told = lists.read(reading.schema, base, agenda.KIND, kept)
    return Asked(
        today(request),
        told.filters if told else {},
        given.get("periode") == PAST,
        int(number[:9]) if number.isascii() and number.isdecimal() else 1,
        language_of(request),
    )


def _token(request: Request, reading: Published, facet: str, value: NamedNode) -> str:
    shapes = lists.facets_of(reading.schema, lists.classes_of(reading.schema, agenda.KIND))
    return lists.token_of(shapes[facet], value, request.app.state.service.settings.base)


def _address(request: Request, reading: Published, asked: Asked) -> Address:
    token = partial(_token, request, reading)
    told = [
        (name, token(name, value))
        for name, values in asked.filters.items()
        for value in values
        if isinstance(value, NamedNode)
    ]
    plain = [pair for pair in request.query_params.multi_items() if pair[0] in PLAIN and pair[1]]
    return Address(KIND, (*told, *plain))
