"""Views: how the rows of an answer can be shown, by what stands in their columns.

A table always; a map where there are latitudes and longitudes, bars where one column
counts, a timeline where one dates. The list behind each is the same rows.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph import quantities
from thc_graph.rdf.terms import XSD, Term

Row = tuple[Term | None, ...]
Place = tuple[float, float]  # longitude, latitude

LATITUDES: Final = frozenset({"latitude", "lat"})
LONGITUDES: Final = frozenset({"longitude", "long", "lon", "lng"})
NUMBERS: Final = frozenset({XSD["integer"], XSD["decimal"], XSD["double"], XSD["float"]})
DATES: Final = frozenset({XSD["date"], XSD["dateTime"], XSD["gYear"], XSD["gYearMonth"]})
BARS: Final = 200  # rows; more say nothing to the eye
FRANCE: Final = ((-5.5, 41.0), (10.0, 51.5))  # south-west and north-east of the map's usual frame
SCALE: Final = 40  # units of the drawing for a degree of latitude
MARGIN: Final = 0.5  # degrees
EAST, NORTH = 180.0, 90.0  # degrees of the earth: what stands beyond has no place on it


@dataclass(frozen=True)
class Table:
    """The solutions of a SELECT; rows are as long as `names`."""

    names: tuple[str, ...]
    rows: Sequence[Row]

    def column(self, names: Iterable[str]) -> int | None:
        wanted = set(names)
        return next((i for i, name in enumerate(self.names) if name.lower() in wanted), None)


@dataclass(frozen=True)
class Mark:
    """A row on a drawing: what names it, its link if it has one, and where or how much."""

    label: Term | None
    target: NamedNode | None
    value: Literal
    share: float = 0.0  # of the longest bar
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Map:
    """Marks in the units of a drawing `width` by `height`; `ground` is the path behind them.

    `outside` places are not drawn: they stand too far from the others.
    """

    marks: tuple[Mark, ...]
    width: float
    height: float
    ground: str
    outside: int


def available(table: Table) -> tuple[str, ...]:
    """Return the views that the columns allow, the plainest first."""
    found = {"table": True, "map": bool(_places(table)), "bar": bool(bars(table))}
    return tuple(view for view, can in (found | {"timeline": bool(timeline(table))}).items() if can)


def bars(table: Table) -> tuple[Mark, ...]:
    """Return a bar for each row; none where no column counts or there are too many rows."""
    place = _counting(table)
    if place is None or not 0 < len(table.rows) <= BARS:
        return ()
    counted = [(row, _number(row[place])) for row in table.rows]
    longest = max((value for _, value in counted if value is not None), default=0.0)
    if longest <= 0 or any(value is not None and value < 0 for _, value in counted):
        return ()
    return tuple(
        Mark(*_named(row, place), _literal(row[place]), value / longest)
        for row, value in counted
        if value is not None
    )


def timeline(table: Table) -> tuple[Mark, ...]:
    """Return a mark for each dated row, in the order of their dates."""
    place = next((i for i in range(len(table.names)) if _all(table, i, DATES)), None)
    if place is None:
        return ()
    dated = [row for row in table.rows if row[place] is not None]
    marks = (Mark(*_named(row, place), _literal(row[place])) for row in dated)
    return tuple(sorted(marks, key=lambda mark: mark.value.value))


def drawn(table: Table, ground: Iterable[Place]) -> Map:
    """Return the rows that have a place, on metropolitan France where most of them are."""
    places = _places(table)
    frame = _frame([place for _, place in places])
    (west, south), (east, north) = frame
    stretch = math.cos(math.radians((south + north) / 2))

    def at(place: Place) -> Place:
        return (place[0] - west) * SCALE * stretch, (north - place[1]) * SCALE

    marks = tuple(
        Mark(*_named(row, None), Literal(""), x=x, y=y)
        for row, place in places
        if _within(frame, place)
        for x, y in (at(place),)
    )
    path = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in map(at, ground) if y >= 0)
    width, height = at((east, south))
    return Map(marks, width, height, path, len(places) - len(marks))


def _frame(points: Sequence[Place]) -> tuple[Place, Place]:
    if 2 * sum(_within(FRANCE, each) for each in points) >= len(points):
        return FRANCE
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs) - MARGIN, min(ys) - MARGIN), (max(xs) + MARGIN, max(ys) + MARGIN)


def _within(frame: tuple[Place, Place], place: Place) -> bool:
    (west, south), (east, north) = frame
    return west <= place[0] <= east and south <= place[1] <= north


def _places(table: Table) -> list[tuple[Row, Place]]:
    across, up = table.column(LONGITUDES), table.column(LATITUDES)
    if across is None or up is None:
        return []
    read = [(row, _number(row[across]), _number(row[up])) for row in table.rows]
    return [
        (row, (x, y))
        for row, x, y in read
        if x is not None and y is not None and abs(x) <= EAST and abs(y) <= NORTH
    ]


def _counting(table: Table) -> int | None:
    """Return the last column of numbers that is no coordinate."""
    places = {table.column(LATITUDES), table.column(LONGITUDES)}
    numbers = [i for i in range(len(table.names)) if i not in places and _all(table, i, NUMBERS)]
    return numbers[-1] if numbers and len(table.names) > 1 else None


def _all(table: Table, column: int, datatypes: frozenset[NamedNode]) -> bool:
    """Say whether a column holds values of some datatypes and no other."""
    values = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and all(
        isinstance(each, Literal) and each.datatype in datatypes for each in values
    )


def _named(row: Row, measured: int | None) -> tuple[Term | None, NamedNode | None]:
    """Return what names a row, words before an address, and the first thing it is about."""
    rest = [term for i, term in enumerate(row) if i != measured and term is not None]
    words = [each for each in rest if isinstance(each, Literal) and each.datatype not in NUMBERS]
    target = next((each for each in rest if isinstance(each, NamedNode)), None)
    spoken = sorted(words, key=lambda each: each.language is None)  # a text in a language first
    return (spoken[0] if spoken else target or next(iter(rest), None)), target


def _number(term: Term | None) -> float | None:
    is_number = isinstance(term, Literal) and term.datatype in NUMBERS
    return quantities.real(term.value) if is_number and isinstance(term, Literal) else None


def _literal(term: Term | None) -> Literal:
    if not isinstance(term, Literal):
        raise TypeError("A measured value is a literal.")
    return term
