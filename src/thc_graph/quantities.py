"""Quantities: the numbers and the days that strangers write, judged whole and once.

Python's own readers take more than a person writes: five thousand digits, digits of any
script, `1_000`, ` 1 `, `nan`, `1e999`, `2026W011`. Whoever serves strangers reads by these.
"""

from datetime import date
from math import isfinite
from typing import Final

PAGES: Final = 1_000_000  # of a list; none has as many
LONGEST: Final = 40  # characters of a number that a person or a program writes
_DAY: Final = len("2016-03-30")


def whole(text: str, least: int, most: int) -> int | None:
    """Return a number of digits alone, None for what is none or stands outside its bounds."""
    if len(text) > len(str(most)) or not _is_digits(text):
        return None
    value = int(text)
    return value if least <= value <= most else None


def page(text: str) -> int | None:
    """Return the number of a page, None for what no page has."""
    return whole(text, 1, PAGES)


def real(text: str) -> float | None:
    """Return a finite number, as XSD, JSON and HTTP write it: `12`, `.5`, `-1.5e3`."""
    if len(text) > LONGEST or not text.isascii() or "_" in text or text != text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def day(text: str) -> date | None:
    """Return a day written as RFC 3339 does, None for what is none."""
    if len(text) != _DAY or not text.isascii() or (text[4], text[7]) != ("-", "-"):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()
