"""Two figures over HTTP: `/ligne-de-temps`, and the scheme « Démocratie Ouverte » at `/schema`.

Each is a list first, which says everything, then a drawing of it.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from thc_graph import quantities
from thc_graph.figures import scheme
from thc_graph.figures import timeline as timeline_figures
from thc_graph.figures.scheme import Concept
from thc_graph.figures.timeline import Moment, TimeLine
from thc_graph.instance.reading import Published
from thc_graph.web.drawing import charts
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of

router = Router()

FIRST: Final = "evenement"
WIDTH: Final = 720
LINE: Final = 26  # height of a concept of the last level
COLUMNS: Final = (6, 200, 350, 636)  # where each level of the scheme begins
SCHEME_WIDTH: Final = 930
COLUMN: Final = 14  # height of a moment on the drawing


@dataclass(frozen=True)
class Month:
    """A month of the drawing, with a mark for each thing, piled up."""

    x: float
    label: str
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class Box:
    """A concept on the drawing, and where the line from its parent begins."""

    concept: Concept
    level: int
    x: int
    y: float
    parent: float | None


@router.get("/ligne-de-temps", asks=Parameters(("nature", "page")))
async def timeline(request: Request, reading: Published) -> Response:
    _acceptable(request)
    kind = request.query_params.get("nature", FIRST)
    page = quantities.page(request.query_params.get("page", "1"))
    known, told = timeline_figures.kinds(reading.schema), language_of(request)
    if kind not in known or page is None:
        raise Problem(404, "NotFound")

    async def make() -> bytes | None:
        found = await timeline_figures.timeline(reading, reading.index, kind, page, told)
        if found is None:
            return None
        return pages_of(request).render(
            "timeline.html",
            request,
            told,
            line=found,
            kinds=known,
            drawn=months(found),
            width=WIDTH,
            step=COLUMN,
            first_day=charts.first_day,
        )

    content = await reading.page(("/ligne-de-temps", request.url.query, told), make)
    if content is None:
        raise Problem(404, "NotFound")
    return represent(request, reading, content, HTML, language=told)


@router.get("/schema")
async def schema(request: Request, reading: Published) -> Response:
    _acceptable(request)
    told = language_of(request)
    make = partial(_scheme, request, reading, told)
    content = await reading.page(("/schema", request.url.query, told), make)
    if content is None:
        raise Problem(404, "NotFound")
    return represent(request, reading, content, HTML, language=told)


async def _scheme(request: Request, reading: Published, told: str) -> bytes | None:
    top = await scheme.tree(reading, reading.index, told)
    if top is None:
        return None
    return pages_of(request).render(
        "scheme.html",
        request,
        told,
        top=top,
        kinds=scheme.kinds(reading.schema),
        boxes=boxes(top),
        width=SCHEME_WIDTH,
        height=top.leaves * LINE + 2 * LINE,
        shortened=charts.shortened,
    )


def _acceptable(request: Request) -> None:
    if choose(request.headers.get("accept", ""), (HTML,)) is None:
        raise Problem(406, "NotAcceptable", {"offered": (HTML,)})


def months(line: TimeLine) -> tuple[Month, ...]:
    """Return the months of a page from left to right, the first first."""
    count = max(1, len(line.months))
    step = WIDTH / count
    ordered = list(reversed(line.months))
    return tuple(
        Month(round(step * (i + 0.5), 1), month, moments)
        for i, (month, moments) in enumerate(ordered)
    )


def boxes(top: Concept) -> list[Box]:
    """Return the concepts of a tree, each in the middle of those it holds."""
    found: list[Box] = []

    def place(concept: Concept, level: int, above: float, parent: float | None) -> None:
        y = above + concept.leaves * LINE / 2
        found.append(Box(concept, level, COLUMNS[min(level, len(COLUMNS) - 1)], y, parent))
        for each in concept.narrower:
            place(each, level + 1, above, y)
            above += each.leaves * LINE

    place(top, 0, LINE, None)
    return found
