"""Coordinates: which place of GeoNames is which commune, where that is sure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from territories.names import plain
from territories.rows import COMMUNE, memberships
from territories.sources import Package, Place, Record, Row, present

# GeoNames' figures are up to twenty years old, and communes have merged since. Of two
# towns of one name in one region, one is seldom left out; of two villages, often.
TOWN = 2_000
TOWN_RATIO = 1 / 3
VILLAGE_RATIO = 1 / 2
NEIGHBOUR_KM = 20.0


def located(package: Package, places: Iterable[Place]) -> dict[str, Place]:
    """Return the place of each commune that is surely one of GeoNames' places.

    Sure means: the only commune and the only place of that name in the région, and the
    smaller population at least half the larger, or a third when both pass 2 000. Below
    2 000 inhabitants, another commune of the same EPCI must also be found within 20 km.
    Anything ambiguous is left out.
    """
    named = defaultdict(list)
    for place in places:
        named[place.region, plain(place.name)].append(place)
    namesakes = defaultdict(list)
    for commune in present(package):
        namesakes[commune["region"], plain(commune["nom"])].append(commune)
    likely = {
        communes[0]["code"]: named[key][0]
        for key, communes in namesakes.items()
        if len(communes) == 1
        and len(named[key]) == 1
        and similar(communes[0].get("population", 0), named[key][0].population)
    }
    return without_strays(likely, present(package), memberships(package))


def similar(one: int, other: int) -> bool:
    low, high = sorted((one, other))
    return low > 0 and low >= (TOWN_RATIO if low >= TOWN else VILLAGE_RATIO) * high


def without_strays(
    likely: Mapping[str, Place],
    communes: Iterable[Record],
    groups: Mapping[str, Sequence[str]],
) -> dict[str, Place]:
    neighbours = defaultdict(list)
    for code, place in likely.items():
        for group in groups.get(code, ()):
            neighbours[group].append(place)
    return {
        code: likely[code]
        for commune in communes
        if (code := commune["code"]) in likely
        and (
            commune["population"] >= TOWN
            or any(
                other is not likely[code] and distance(other, likely[code]) <= NEIGHBOUR_KM
                for group in groups.get(code, ())
                for other in neighbours[group]
            )
        )
    }


def distance(one: Place, other: Place) -> float:
    """Kilometres along the great circle."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(one.longitude - other.longitude)
    chord = (
        math.sin((north - south) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    )
    return 2 * 6371 * math.asin(math.sqrt(chord))


def coordinate_rows(package: Package, places: Iterable[Place]) -> list[Row]:
    return [
        {
            "Type de territoire": COMMUNE,
            "Code INSEE": code,
            "Latitude": str(place.latitude),
            "Longitude": str(place.longitude),
            "GeoNames": str(place.id),
        }
        for code, place in sorted(located(package, places).items())
    ]
