"""Which views an answer allows, and what each draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import XSD, Term
from thc_graph.web.drawing.answers import (
    FRANCE,
    SCALE,
    Table,
    available,
    bars,
    drawn,
    timeline,
)

HERE = NamedNode("https://data.thc.example/id/commune/68224")
NAME = Literal("Mulhouse", language="fr")
LATITUDE = Literal("47.75", datatype=XSD["decimal"])
LONGITUDE = Literal("7.33", datatype=XSD["decimal"])
YEAR = Literal("2014", datatype=XSD["gYear"])


@pytest.mark.parametrize(
    ("names", "row", "expected"),
    [
        (("nom",), (NAME,), ("table",)),
        (("nom", "latitude", "longitude"), (NAME, LATITUDE, LONGITUDE), ("table", "map")),
        (("Lat", "LON"), (LATITUDE, LONGITUDE), ("table", "map")),
        (("latitude", "longitude"), (LATITUDE, None), ("table",)),
        (("latitude", "longitude"), (LATITUDE, NAME), ("table",)),
        (("nom", "total"), (NAME, Literal(3)), ("table", "bar")),
        (("total",), (Literal(3),), ("table",)),
        (("nom", "total"), (NAME, Literal(-3)), ("table",)),
        (("nom", "total"), (NAME, Literal("INF", datatype=XSD["double"])), ("table",)),
        (("nom", "annee"), (NAME, YEAR), ("table", "timeline")),
        (("nom", "total", "annee"), (NAME, Literal(3), YEAR), ("table", "bar", "timeline")),
    ],
)
def test_available(
    names: tuple[str, ...], row: tuple[Term | None, ...], expected: tuple[str, ...]
) -> None:
    assert available(Table(names, [row])) == expected


def test_no_rows_is_a_table() -> None:
    assert available(Table(("nom", "latitude", "longitude"), [])) == ("table",)


def test_bars_are_shares_of_the_longest() -> None:
    rows = [(HERE, NAME, Literal(4)), (HERE, NAME, Literal(1)), (HERE, NAME, None)]
    found = bars(Table(("lieu", "nom", "total"), rows))
    assert [(each.label, each.target, each.share) for each in found] == [
        (NAME, HERE, 1.0),
        (NAME, HERE, 0.25),
    ]


def test_a_timeline_is_in_order() -> None:
    rows = [(NAME, Literal(each, datatype=XSD["date"])) for each in ("2016-01-02", "2014-03-30")]
    assert [each.value.value for each in timeline(Table(("nom", "date"), rows))] == [
        "2014-03-30",
        "2016-01-02",
    ]


def test_a_map_is_of_france_and_counts_what_it_leaves_out() -> None:
    cayenne = (
        NAME,
        Literal("4.9", datatype=XSD["decimal"]),
        Literal("-52.3", datatype=XSD["decimal"]),
    )
    table = Table(("nom", "latitude", "longitude"), [(NAME, LATITUDE, LONGITUDE), cayenne])
    found = drawn(table, [(2.0, 47.0)])
    assert (len(found.marks), found.outside) == (1, 1)
    assert found.height == (FRANCE[1][1] - FRANCE[0][1]) * SCALE
    assert found.ground.startswith("M")


NUMBERS = st.floats(-90, 90).map(lambda x: Literal(f"{x:.3f}", datatype=XSD["decimal"]))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_what_is_drawn_stands_within_the_drawing(rows: list[tuple[Literal, Literal]]) -> None:
    found = drawn(Table(("latitude", "longitude"), rows), [])
    assert len(found.marks) + found.outside == len(rows)
    assert all(0 <= m.x <= found.width and 0 <= m.y <= found.height for m in found.marks)
