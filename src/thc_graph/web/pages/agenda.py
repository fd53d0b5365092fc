"""The agenda over HTTP: `/agenda`, its files, and each event as a file for one's own calendar."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial
from typing import Final
from xml.etree import ElementTree as ET

from babel.dates import format_date
from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.figures import agenda
from thc_graph.figures.agenda import Asked, Event
from thc_graph.instance.service import Published
from thc_graph.lists import kinds, tables
from thc_graph.rdf.terms import Term
from thc_graph.sheets.tables.writing import WRITERS
from thc_graph.web.drawing import charts
from thc_graph.web.files import calendars, lists
from thc_graph.web.files.lists import Form, Source
from thc_graph.web.http.negotiation import choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import PARIS, represent, today
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.pages.entities import HTML, is_iri
from thc_graph.web.pages.lists import Address, address_of, filters_of, number_of, tokens
from thc_graph.web.rendering.templates import language_of, pages_of
from thc_graph.web.rendering.terms import LOCALES

router = Router()

PATH: Final = "/agenda"
KIND: Final = PATH.removeprefix("/")
PLAIN: Final = ("periode", "page", "lang")
ASKS: Final = Parameters((*PLAIN, "format"), agenda.FACETS)
PAST: Final = "passe"
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
    found = [entry for each in await _events(source) if (entry := _entry(each, source.base))]
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
        url=lists.page_of(base, event.iri.value),
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
    feed = lists.begun(f"{source.base}{PATH}", source.t("agenda.title"), source.title, updated)
    for each in reversed(events):
        entry = ET.SubElement(feed, "entry")
        label = each.label.value if each.label else each.iri.value
        lists.said(entry, "id", each.iri.value)
        lists.said(entry, "title", f"{each.start.value} – {label}")
        lists.said(entry, "updated", updated)
        if each.description:
            lists.said(entry, "summary", each.description.value)
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
OFFERED: Final = (HTML, *(form.media_type for form in FORMATS))


@router.get(PATH, asks=ASKS)
async def page(request: Request, reading: Published) -> Response:
    media_type = choose(request.headers.get("accept", ""), OFFERED)
    suffix = request.query_params.get("format", "")
    form = lists.find(FORMATS, suffix, media_type)
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


@router.get(f"{PATH}.{{suffix}}", asks=ASKS)
async def file(suffix: str, request: Request, reading: Published) -> Response:
    form = lists.find(FORMATS, suffix)
    if form is None:
        raise Problem(404, "NotFound")
    return await _file(request, reading, form)


@router.get("/doc/evenement/{key:key}.ics")
async def event(key: str, request: Request, reading: Published) -> Response:
    """Return one event for one's own calendar."""
    settings, told = request.app.state.service.settings, language_of(request)
    iri = f"{settings.base}/id/{agenda.KIND}/{key}"
    if not is_iri(iri):
        raise Problem(404, "NotFound")

    async def make() -> bytes | None:
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
    types = kinds.classes_of(reading.schema, agenda.KIND)
    named = [*territories, *types]
    return pages_of(request).render(
        "agenda.html",
        request,
        asked.language,
        agenda=found,
        address=_address(request, reading, asked),
        token=tokens(request, reading, agenda.KIND),
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
    return " – ".join(format_date(day, "MMM y", locale=LOCALES[language]) for day in days)


async def _file(request: Request, reading: Published, form: Form[Asked]) -> Response:
    asked = _read(request, reading)
    # Only the query says what day it is; the events of a file are those past and to come.
    day = asked.today if form.suffix == "rq" else None
    return await lists.respond(request, reading, form, asked, KIND, __name__, day)


def _read(request: Request, reading: Published) -> Asked:
    """Return what an address asks for; what it says of nothing we know is left out."""
    return Asked(
        today(request),
        filters_of(request, reading, agenda.KIND, agenda.FACETS),
        request.query_params.get("periode") == PAST,
        number_of(request),
        language_of(request),
    )


def _address(request: Request, reading: Published, asked: Asked) -> Address:
    return address_of(request, reading, agenda.KIND, asked.filters, PLAIN, KIND)
