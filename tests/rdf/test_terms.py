"""Dates that say a day, a month or a year, in one order."""

import pytest

from thc_graph.rdf.terms import day_of


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("", "1999"),
        ("hier", "1999"),
        ("2016-02-29", "2016-02"),
        ("2016-12-31", "2016-12"),
        ("2016-12", "2016"),
        ("2016", "2017-01-01"),
        ("2016-03-14+01:00", "2016-03-15"),
    ],
)
def test_a_partial_date_is_over_after_its_last_day(earlier: str, later: str) -> None:
    assert day_of(earlier) < day_of(later)
