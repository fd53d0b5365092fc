"""The dashboard over HTTP: `/tableau-de-bord`, its files, its charts, and a view to embed.

The page of a territory or a plan is the same page, narrowed: its address is its state.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph import quantities
from thc_graph.figures import dashboard as dashboard_figures
from thc_graph.figures.dashboard import Asked, Board, Line
from thc_graph.instance.reading import Published
from thc_graph.web.drawing import charts
from thc_graph.web.files import dashboard as dashboard_files
from thc_graph.web.files import forms
from thc_graph.web.http.addresses import Address, address_of, filters_of, number_of, tokens
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import SECURITY, represent, today
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of

router = Router()

PATH: Final = "/tableau-de-bord"
KIND: Final = PATH.removeprefix("/")
FACETS: Final = ("plan", "territoire", "rubrique", "statutCourant")
PLAIN: Final = ("echeance", "depuis", "page", "lang")
ASKS: Final = Parameters((*PLAIN, "format", "embed"), FACETS)
OPTIONS: Final = 50  # territories and plans a form offers
SVG: Final = "image/svg+xml"
CHARTS: Final = ("statuts", "piliers", "territoires", "echeances")
OFFERED: Final = (HTML, *(form.media_type for form in dashboard_files.FORMATS))
EMBEDDABLE: Final = SECURITY["Content-Security-Policy"].replace(
    "frame-ancestors 'none'", "frame-ancestors *"
)


@dataclass(frozen=True)
class Offered:
    """What the form of a dashboard lets one choose from; labels stand with the board's."""

    territories: tuple[NamedNode, ...]
    plans: tuple[NamedNode, ...]
    headings: tuple[tuple[NamedNode, tuple[NamedNode, ...]], ...]  # by pillar
    labels: dict[str, Any]


@router.get(PATH, asks=ASKS)
async def dashboard(request: Request, reading: Published) -> Response:
    suffix = request.query_params.get("format", "")
    media_type = choose(request.headers.get("accept", ""), OFFERED)
    if suffix or media_type not in (HTML, None):
        return await _file(request, reading, suffix, media_type)
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": OFFERED})
    template = "dashboard-embed.html" if request.query_params.get("embed") else "dashboard.html"
    response = await _drawn(request, reading, template, HTML)
    if request.query_params.get("embed"):
        response.headers["Content-Security-Policy"] = EMBEDDABLE
    return response


@router.get(f"{PATH}.{{suffix}}", asks=ASKS)
async def file(suffix: str, request: Request, reading: Published) -> Response:
    return await _file(request, reading, suffix)


@router.get(f"{PATH}/{{name}}.svg", asks=ASKS)
async def chart(name: str, request: Request, reading: Published) -> Response:
    """Return one of the page's drawings, with the colours of the light theme in it."""
    if name not in CHARTS:
        raise Problem(404, "NotFound")
    return await _drawn(request, reading, f"chart-{name}.svg", SVG)


async def _drawn(request: Request, reading: Published, template: str, media_type: str) -> Response:
    asked, told = _read(request, reading), language_of(request)
    make = partial(_content, request, reading, asked, template)
    key = (template, str(request.url.path), request.url.query, told, asked.today)
    content = await reading.page(key, make)
    if content is None:
        raise Problem(404, "NotFound")
    links = _links(request, reading, asked) if template == "dashboard.html" else None
    return represent(
        request, reading, content, media_type, language=told, links=links, day=asked.today
    )


async def _content(
    request: Request, reading: Published, asked: Asked, template: str
) -> bytes | None:
    found = await dashboard_figures.board(reading, reading.index, asked)
    if found is None:
        return None
    return pages_of(request).render(
        template,
        request,
        asked.language,
        board=found,
        address=_address(request, reading, asked),
        offered=await _offered(reading, asked),
        token=tokens(request, reading, dashboard_figures.KIND),
        stacked=charts.stacked,
        shortened=charts.shortened,
        named_lines=partial(_named_lines, found),
        calendar=charts.deadlines(found.rows, asked.today),
        files=dashboard_files.FORMATS,
        delays=dashboard_figures.DELAYS,
        query=await dashboard_figures.query_of(reading, asked),
    )


def _named_lines(found: Board, lines: Iterable[Line]) -> list[tuple[str, Line]]:
    """Return lines with their names, for a drawing."""
    labels = ((found.label(line.term), line) for line in lines)
    return [(label.value if label else "", line) for label, line in labels]


async def _file(
    request: Request, reading: Published, suffix: str, media_type: str | None = None
) -> Response:
    form, asked = forms.find(dashboard_files.FORMATS, suffix, media_type), _read(request, reading)
    if form is None:
        raise Problem(404, "NotFound")
    return await forms.respond(
        request, reading, form, asked, KIND, dashboard_files.__name__, asked.today
    )


# The address


def _read(request: Request, reading: Published) -> Asked:
    """Return what an address asks for; what it says of nothing we know is left out."""
    given = request.query_params
    delay = given.get("echeance", "")
    return Asked(
        today(request),
        filters_of(request, reading, dashboard_figures.KIND, FACETS),
        delay if delay in dashboard_figures.DELAYS else "",
        quantities.day(given.get("depuis", "")),
        number_of(request),
        language_of(request),
    )


def _address(request: Request, reading: Published, asked: Asked) -> Address:
    return address_of(request, reading, dashboard_figures.KIND, asked.filters, PLAIN, KIND)


def _links(request: Request, reading: Published, asked: Asked) -> dict[str, str]:
    address = _address(request, reading, asked)
    return {
        address.to(form.suffix): f'rel="alternate"; type="{form.media_type}"'
        for form in dashboard_files.FORMATS
    }


async def _offered(reading: Published, asked: Asked) -> Offered:
    """Return the choices of the form: those of the whole programme, and what is chosen."""

    async def make() -> tuple[list[NamedNode], list[NamedNode]]:
        index = reading.index
        at = index.counts(index.listed(dashboard_figures.KIND, (), {}), "at", OPTIONS)
        _, plans = index.select(index.listed("plan", (), {}), "order_fr", 0, OPTIONS)
        return [NamedNode(each) for each in at], [NamedNode(each) for each in plans]

    at, plans = await reading.once("dashboard/offered", make)
    known = await dashboard_figures.headings(reading)
    chosen = {
        name: [v for v in values if isinstance(v, NamedNode)]
        for name, values in asked.filters.items()
    }
    territories = tuple(dict.fromkeys([*at, *chosen.get("territoire", ())]))
    all_plans = tuple(dict.fromkeys([*plans, *chosen.get("plan", ())]))
    headings = tuple((each.iri, each.holds) for each in dashboard_figures.pillars(known))
    iris = [each.value for each in (*territories, *all_plans, *known)]
    labels = reading.index.labels(iris, asked.language)
    return Offered(territories, all_plans, headings, dict(labels))
