"""The agenda over HTTP: `/agenda`, its files, and each event as a file for one's own calendar."""

from datetime import date
from functools import partial
from typing import Final

from babel.dates import format_date
from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.figures import agenda
from thc_graph.figures.agenda import Asked
from thc_graph.instance.reading import Published
from thc_graph.lists import kinds
from thc_graph.rdf.iris import is_iri
from thc_graph.web.drawing import charts
from thc_graph.web.files import agenda as agenda_files
from thc_graph.web.files import calendars, forms
from thc_graph.web.files.agenda import FORMATS, KIND, PATH, calendar_entry
from thc_graph.web.files.forms import Form
from thc_graph.web.http.addresses import Address, address_of, filters_of, number_of, tokens
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent, today
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.rendering.terms import LOCALES

router = Router()

PLAIN: Final = ("periode", "page", "lang")
ASKS: Final = Parameters((*PLAIN, "format"), agenda.FACETS)
PAST: Final = "passe"


OFFERED: Final = (HTML, *(form.media_type for form in FORMATS))


@router.get(PATH, asks=ASKS)
async def page(request: Request, reading: Published) -> Response:
    media_type = choose(request.headers.get("accept", ""), OFFERED)
    suffix = request.query_params.get("format", "")
    form = forms.find(FORMATS, suffix, media_type)
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
    form = forms.find(FORMATS, suffix)
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
        entries = [entry for each in events if (entry := calendar_entry(each, settings.base))]
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
    return await forms.respond(request, reading, form, asked, KIND, agenda_files.__name__, day)


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
