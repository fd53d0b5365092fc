"""What strangers write for a number or a day; the law: bounded, or nothing."""

from datetime import date
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thc_graph import quantities

ODD = [
    "", " ", "x", "-1", "+1", " 1", "1 ", "1_0", "1.", "1e3", "0x1", "nan", "inf", "٣", "１", "²",
    "Ⅷ", "9" * 5_000, "0" * 5_000 + "1", "1" + "0" * 400, "\x00", "1\n", "NaN", "true", "--1",
    "1,0",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_whole_number(text: str) -> None:
    assert quantities.whole(text, 0, 10**9) is None
    assert quantities.page(text) is None
    assert quantities.day(text) is None


@pytest.mark.parametrize(
    ("text", "least", "most", "expected"),
    [
        ("0", 0, 9, 0),
        ("9", 0, 9, 9),
        ("10", 0, 9, None),
        ("0", 1, 9, None),
        ("07", 0, 99, 7),
        ("007", 0, 99, None),
        ("1000000", 1, quantities.PAGES, quantities.PAGES),
        ("1000001", 1, quantities.PAGES, None),
    ],
)
def test_whole(text: str, least: int, most: int, expected: int | None) -> None:
    assert quantities.whole(text, least, most) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0), (".9", 0.9), ("0.9", 0.9), ("1.", 1.0), ("-1.5e3", -1500.0), ("+2", 2.0),
        ("1E-400", 0.0), ("1e400", None), ("nan", None), ("-inf", None), ("1_0", None), ("", None),
        (" 1", None), ("1 ", None), ("٣", None), ("9" * 5_000, None), ("0." + "1" * 39, None),
    ],
)  # fmt: skip
def test_real(text: str, expected: float | None) -> None:
    assert quantities.real(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-03-30", date(2016, 3, 30)),
        ("2016-02-29", date(2016, 2, 29)),
        ("2015-02-29", None),
        ("0000-01-01", None),
        ("0001-01-01", date.min),
        ("9999-12-31", date.max),
        ("10000-01-01", None),
        ("20160330", None),
        ("2016-W13-3", None),
        ("２０１６-03-30", None),
        ("2016-03-30T00:00:00", None),
    ],
)
def test_day(text: str, expected: date | None) -> None:
    assert quantities.day(text) == expected


@given(st.text() | st.from_regex(r"[0-9+._eE -]+"))
def test_what_is_read_is_bounded(text: str) -> None:
    assert quantities.page(text) is None or 1 <= (quantities.page(text) or 0) <= quantities.PAGES
    assert isfinite(quantities.real(text) or 0)
    found = quantities.day(text)
    assert found is None or found.isoformat() == text
