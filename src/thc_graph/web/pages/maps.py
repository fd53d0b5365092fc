"""The map over HTTP: `/carte`, drawn by the server, with its figures beside it.

Overseas départements, which the outlines leave out, are squares with their code. Without
the outlines (`scripts/assets.py`), all of them are. Below stands each place by name; with
Leaflet and JavaScript, the same places on a map that zooms, read from `/carte.geojson`.
"""

import json
import math
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote

from pyoxigraph import Literal
from starlette.requests import Request
from starlette.responses import Response

from thc_graph.figures import maps as map_figures
from thc_graph.figures.maps import Map, Place, Spot
from thc_graph.instance.reading import Published
from thc_graph.sheets.tables.writing import WRITERS
from thc_graph.web.drawing import maps
from thc_graph.web.files.forms import json_of
from thc_graph.web.http.negotiation import HTML, choose
from thc_graph.web.http.problems import Problem
from thc_graph.web.http.responses import represent
from thc_graph.web.http.routing import Parameters, Router
from thc_graph.web.http.visit import language_of, pages_of
from thc_graph.web.rendering import assets
from thc_graph.web.rendering.terms import curie

router = Router()

PATH: Final = "/carte"
FIRST: Final = "engagement"
OUTLINES: Final = "vendor/france/departements.svg"
FACTS: Final = "vendor/france/departements.json"
SHADES: Final = 4  # of the colour, beside none at all
SIDE: Final = 240  # of a square, in units of the outlines
ACROSS: Final = 10  # squares on a line
MEDIA_TYPES: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "rq": "application/sparql-query",
}
ZOOMABLE: Final = ("vendor/leaflet/leaflet.css", "vendor/leaflet/leaflet.js", "carte.js")


@dataclass(frozen=True)
class Square:
    """A département that has no outline, at a place of the drawing."""

    place: Place
    shade: int
    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """Départements by shade, from 0 (none) up; `outlined` are those the file has."""

    width: int
    height: int
    outlined: tuple[tuple[Place, int], ...]
    squares: tuple[Square, ...]
    credit: str


def drawing(found: Map) -> Drawing:
    """Return what the server draws of a map."""
    facts = outlines()
    boxes = facts.get("boxes", {})
    width, height = facts.get("width", ACROSS * SIDE), facts.get("height", 0)
    shaded = [(each, shade(each.count, found.most)) for each in found.places]
    others = [pair for pair in shaded if pair[0].code not in boxes]
    squares = tuple(
        Square(each, of, SIDE * (i % ACROSS), height + SIDE // 3 + SIDE * (i // ACROSS))
        for i, (each, of) in enumerate(others)
    )
    below = SIDE // 3 + SIDE * -(-len(others) // ACROSS) if others else 0
    outlined = tuple(pair for pair in shaded if pair[0].code in boxes)
    return Drawing(width, height + below, outlined, squares, facts.get("credit", ""))


def shade(count: int, most: int) -> int:
    """Return how dark a figure is; each step is as many times more, for one of a thousand.

    >>> [shade(each, 100) for each in (0, 1, 3, 30, 100)]
    [0, 1, 2, 3, 4]
    """
    if not count:
        return 0
    return max(1, math.ceil(SHADES * math.log1p(count) / math.log1p(most) - 1e-9))


@cache
def outlines() -> dict[str, Any]:
    """Return the size of the outlines, the box of each département, and whose they are."""
    if not assets.exists(FACTS):
        return {}
    found: dict[str, Any] = json.loads((assets.FOLDER / FACTS).read_text("utf-8"))
    return found


@router.get(PATH, asks=Parameters(("nature", "format")))
async def page(request: Request, reading: Published) -> Response:
    media_type = choose(request.headers.get("accept", ""), (HTML, *MEDIA_TYPES.values()))
    if media_type is None:
        raise Problem(406, "NotAcceptable", {"offered": (HTML, *MEDIA_TYPES.values())})
    suffix = next((name for name, each in MEDIA_TYPES.items() if each == media_type), "")
    return await _answer(request, reading, suffix or request.query_params.get("format", ""))


@router.get(f"{PATH}.{{suffix}}", asks=Parameters(("nature",)))
async def file(suffix: str, request: Request, reading: Published) -> Response:
    return await _answer(request, reading, suffix)


async def _answer(request: Request, reading: Published, suffix: str) -> Response:
    kind, told = request.query_params.get("nature") or await first(reading), language_of(request)
    if kind not in map_figures.kinds(reading.schema) or (suffix and suffix not in MEDIA_TYPES):
        raise Problem(404, "NotFound")
    media_type = MEDIA_TYPES.get(suffix, HTML)
    make = partial(_file if suffix else _page, request, reading, kind, suffix)
    key = (PATH, kind, media_type, told, request.url.query)
    content = await reading.page(key, make)
    links = {
        f"{PATH}.{name}?nature={kind}": f'rel="alternate"; type="{each}"'
        for name, each in MEDIA_TYPES.items()
    }
    response = represent(request, reading, content, media_type, language=told, links=links)
    if suffix:
        response.headers["Content-Disposition"] = f'attachment; filename="carte-{kind}.{suffix}"'
    return response


async def first(reading: Published) -> str:
    """Return the kind that is shown unasked: commitments, unless none of them is placed.

    Empty where the schema places nothing.
    """
    kinds = sorted(map_figures.kinds(reading.schema), key=lambda kind: kind != FIRST)

    async def find() -> str:
        found = await reading.aside(partial(map_figures.first, reading.index, kinds))
        return found or next(iter(kinds), "")

    return await reading.once((PATH, "first"), find)


async def _page(request: Request, reading: Published, kind: str, _: str) -> bytes:
    told = language_of(request)
    found = await reading.aside(partial(map_figures.drawn, reading.index, kind, told))
    return pages_of(request).render(
        "map.html",
        request,
        told,
        map=found,
        drawing=drawing(found),
        spotted=await reading.aside(partial(map_figures.spotted, reading.index, kind, told)),
        there=partial(_there, request, kind),
        frame=(maps.SOUTH, maps.WEST, maps.NORTH, maps.EAST),
        zoomable=ZOOMABLE if all(map(assets.exists, ZOOMABLE)) else (),
        kinds=map_figures.kinds(reading.schema),
        outlines=OUTLINES,
        side=SIDE,
        suffixes=MEDIA_TYPES,
        query=map_figures.query_of(reading, kind),
    )


async def _file(request: Request, reading: Published, kind: str, suffix: str) -> bytes:
    if suffix == "rq":
        return map_figures.query_of(reading, kind).encode()
    told = language_of(request)
    if suffix == "geojson":
        return await reading.aside(partial(_geojson, request, reading, kind))
    found = await reading.aside(partial(map_figures.drawn, reading.index, kind, told))
    t = pages_of(request).translator(told)
    name = map_figures.kinds(reading.schema)[kind].name.in_(told)
    headings = ("IRI", t("map.code"), t("map.departement"), name)
    rows = [
        (each.iri.value, each.code, each.label.value if each.label else "", each.count)
        for each in found.places
    ]
    return await reading.aside(partial(WRITERS[suffix], headings, rows))


def _geojson(request: Request, reading: Published, kind: str) -> bytes:
    """Return the places of a kind of things as GeoJSON (RFC 7946), with links to their pages."""
    told = language_of(request)
    found = map_figures.spotted(reading.index, kind, told)
    features = [_feature(request, kind, spot) for spot in found.spots]
    return json_of({"type": "FeatureCollection", "features": features})


def _feature(request: Request, kind: str, spot: Spot) -> dict[str, Any]:
    latitude, longitude = spot.point
    return {
        "type": "Feature",
        "id": spot.iri,
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": {
            **_link(request, spot.iri, spot.label),
            "total": spot.count,
            "list": _there(request, kind, spot),
            "things": [_link(request, *each) for each in spot.things if each[0] != spot.iri],
        },
    }


def _link(request: Request, iri: str, label: Literal | None) -> dict[str, str | None]:
    return {"name": label.value if label else curie(iri), "url": pages_of(request).local(iri)}


def _there(request: Request, kind: str, spot: Spot) -> str:
    """Return where the things of a place are listed, or the page of what is its own place."""
    base: str = request.app.state.service.settings.base
    token = spot.iri.removeprefix(f"{base}/id/")
    alone = any(each == spot.iri for each, _ in spot.things)
    return f"/doc/{token}" if alone else f"/{kind}?territoire={quote(token, safe='')}"
