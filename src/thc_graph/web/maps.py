"""Maps: places as points of a plain drawing, which needs no outline, tile or script."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal

MOST: Final = 1_000  # points of a drawing
WIDTH: Final = 600
MARGIN: Final = 12
METROPOLE: Final = (41.0, 51.5, -5.5, 10.0)  # latitudes, then longitudes


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
    """Return the drawing of some places, north up, degrees of equal length at their middle."""
    south, north, west, east = METROPOLE
    narrow = math.cos(math.radians((south + north) / 2))
    scale = (WIDTH - 2 * MARGIN) / ((east - west) * narrow)
    height = round((north - south) * scale) + 2 * MARGIN
    inside = {
        iri: place
        for iri, place in places.items()
        if south <= place[0] <= north and west <= place[1] <= east
    }
    points = tuple(
        Point(
            round(MARGIN + (long - west) * narrow * scale, 1),
            round(MARGIN + (north - lat) * scale, 1),
            iri,
            labels.get(iri),
        )
        for iri, (lat, long) in inside.items()
    )
    return Drawing(WIDTH, height, points, len(places) - len(inside))
