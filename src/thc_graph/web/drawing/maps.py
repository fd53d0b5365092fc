"""Maps: places as points on the outlines of France, which a drawing can do without."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal

MOST: Final = 1_000  # points of a drawing
# The outlines are in Mercator's projection: these are their size, and the parallels and
# meridians of their edges, as the communes of each département tell them.
WIDTH: Final = 2452
HEIGHT: Final = 2340
SOUTH, NORTH, WEST, EAST = 41.354, 51.102, -5.166, 9.568


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    iri: str
    label: Literal | None


@dataclass(frozen=True)
class Drawing:
    """`elsewhere` counts the places that are outside metropolitan France, not drawn."""

    width: int
    height: int
    points: tuple[Point, ...]
    elsewhere: int


def drawn(
    places: Mapping[str, tuple[float, float]], labels: Mapping[str, Literal | None]
) -> Drawing:
    """Return the drawing of some places, north up."""
    points = tuple(
        Point(*projected(*place), iri, labels.get(iri))
        for iri, place in places.items()
        if SOUTH <= place[0] <= NORTH and WEST <= place[1] <= EAST
    )
    return Drawing(WIDTH, HEIGHT, points, len(places) - len(points))


def projected(latitude: float, longitude: float) -> tuple[float, float]:
    """Return where a place stands on the outlines.

    >>> projected(NORTH, WEST), projected(SOUTH, EAST)
    ((0.0, 0.0), (2452.0, 2340.0))
    """
    x = (longitude - WEST) / (EAST - WEST) * WIDTH
    y = (_northing(NORTH) - _northing(latitude)) / (_northing(NORTH) - _northing(SOUTH)) * HEIGHT
    return round(x, 1), round(y, 1)


def _northing(latitude: float) -> float:
    return math.asinh(math.tan(math.radians(latitude)))
