"""Places: « j’habite 68100 ». A commune, what contains it, and what is done at each."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tantivy import Query

from thc_graph.search.index import Index, both
from thc_graph.search.summaries import Place
from thc_graph.search.words import MAX_LENGTH, key

COMMUNES: Final = 12  # shown of those that share a postcode
DONE: Final = 5  # shown of what is done at one place
NEAREST: Final = 5
FAR: Final = 200.0  # kilometres beyond which a place is not near
EARTH: Final = 6371.0  # kilometres, mean radius
LEVELS: Final = ("quartier", "commune", "ept", "epci", "pays", "departement", "region")
_LIVES: Final = re.compile(
    r"^\s*(?:j[’'\s]?\s*habite|je\s+vis|je\s+suis|i\s+live|i\s+am)\s+(?:à|a|au|aux|en|in|at)?\s*",
    re.IGNORECASE,
)
_POSTCODE: Final = re.compile(r"(?<!\d)(\d{5})(?!\d)")


@dataclass(frozen=True)
class Level:
    """A place, and the first things done there of `total`."""

    place: Place
    total: int
    done: tuple[Place, ...]


@dataclass(frozen=True)
class Near:
    place: Place
    kilometres: float
    total: int


@dataclass(frozen=True)
class Home:
    """A commune and the territories it lies in; `nearest` where none of them does anything."""

    commune: Place
    levels: tuple[Level, ...]
    nearest: tuple[Near, ...] = ()


def homes(index: Index, text: str, language: str) -> tuple[Home, ...]:
    """Return the communes of a postcode, or of the name someone says to live in."""
    asked = text[:MAX_LENGTH]
    postcode = _POSTCODE.search(asked)
    rest = _LIVES.sub("", asked)
    if postcode:
        communes = index.postcode(postcode[1], language)
    elif rest != asked and key(rest):
        named = index.term("exact", key(rest))
        communes = index.find(both(named, index.term("kind", "commune")), COMMUNES, language)
    else:
        communes = []
    return tuple(_home(index, each, language) for each in communes[:COMMUNES])


def without_saying(text: str) -> str:
    """Return a question without « j’habite à »."""
    return _LIVES.sub("", text).strip()


def _home(index: Index, commune: Place, language: str) -> Home:
    around = index.places(commune.within, language).values()
    places = sorted((commune, *around), key=_level)
    levels = tuple(_done(index, place, language) for place in places if _level(place) < len(LEVELS))
    if any(level.total for level in levels) or commune.point is None:
        return Home(commune, levels)
    return Home(commune, levels, tuple(nearest(index, commune.point, language)))


def _level(place: Place) -> int:
    kinds = [LEVELS.index(kind) for kind in place.kinds if kind in LEVELS]
    return min(kinds, default=len(LEVELS))


def _done(index: Index, place: Place, language: str) -> Level:
    asked = index.term("at", place.iri)
    total = index.total(asked)
    return Level(place, total, tuple(index.find(asked, DONE, language)) if total else ())


def nearest(index: Index, point: tuple[float, float], language: str) -> list[Near]:
    """Return the nearest places at which something is done, with how much."""
    counts = index.counts(Query.exists_query("at"), "at")
    found = index.places(list(counts), language).values()
    away = ((kilometres(point, each.point), each) for each in found if each.point)
    close = sorted(((d, each) for d, each in away if d <= FAR), key=lambda pair: pair[0])
    return [Near(each, distance, counts[each.iri]) for distance, each in close[:NEAREST]]


def kilometres(one: Sequence[float], other: Iterable[float]) -> float:
    """Return the distance between two points given by latitude and longitude.

    >>> round(kilometres((47.75, 7.34), (48.58, 7.75)))
    97
    """
    (south, west), (north, east) = (tuple(map(math.radians, each)) for each in (one, other))
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(half))
