"""The first page: what there is, where the commitments stand, what comes next, three doors."""

from functools import partial

from pyoxigraph import NamedNode
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.entities import sections
from thc_graph.entities.sections import Section
from thc_graph.figures import maps as map_figures
from thc_graph.instance.reading import Published
from thc_graph.lists import addresses, kinds
from thc_graph.web.drawing import maps
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent, today
from thc_graph.web.http.routing import Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.pages import maps as maps_of

router = Router()


@router.get("/")
async def home(request: Request, reading: Published) -> Response:
    if choose(request.headers.get("accept", ""), (HTML,)) is None:
        raise Problem(406, "NotAcceptable", {"offered": (HTML,)})
    told, day = language_of(request), today(request)
    key = (request.url.path, request.url.query, HTML, told, day)
    content = await reading.page(key, partial(_content, request, reading))
    return represent(request, reading, content, HTML, language=told, day=day)


async def _content(request: Request, reading: Published) -> bytes:
    told = language_of(request)
    kind = await maps_of.first(reading)
    found = (
        await reading.aside(partial(map_figures.drawn, reading.index, kind, told)) if kind else None
    )
    return pages_of(request).render(
        "home.html",
        request,
        told,
        counts=await kinds.counts(reading),
        sections={e.id: e for e in await sections.home(reading, told, today(request))},
        whole=partial(_whole, request, reading),
        path="/",
        map=found,
        drawing=maps_of.drawing(found) if found else None,
        outlines=maps_of.OUTLINES,
        outlines_height=maps.HEIGHT,
        placed_name=map_figures.kinds(reading.schema)[kind].name.in_(told) if kind else "",
    )


def _whole(request: Request, reading: Published, part: Section, by: NamedNode | None) -> str:
    """Return the address of the commitments that a row counts."""
    shape = kinds.facets_of(reading.schema, kinds.classes_of(reading.schema, "engagement")).get(
        part.by
    )
    if shape is None or by is None:
        return ""
    base = request.app.state.service.settings.base
    return f"/engagement?{part.by}={addresses.token_of(shape, by, base)}"
