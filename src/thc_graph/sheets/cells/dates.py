"""Dates: days, months, years and periods, in French words or in figures, day first.

Nothing is swapped: a date that could only be read month first is refused, with
the date it might be.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final, NamedTuple

from pyoxigraph import Literal

from thc_graph.names.words import folded
from thc_graph.rdf.terms import XSD
from thc_graph.sheets.problems import Unreadable

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv january", "fevrier fevr february", "mars march", "avril avr april",
            "mai may", "juin june", "juillet juil july", "aout august", "septembre sept september",
            "octobre oct october", "novembre nov november", "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NO_DATE: Final = re.compile(r"(?:non|pas|sans|aucune?|jamais|indetermine|inconnue?)(?: \D*)?")
_CENTURY: Final = 70  # 69 is 2069, 70 is 1970
_SIDES: Final = re.compile(r"\s+(?:-|à|au)\s+|\s*–\s*")
_SERIALS: Final = range(20_000, 80_000)  # 1954 to 2119, as Excel counts days
_EPOCH: Final = date(1899, 12, 30)

_YEAR, _MONTH, _DAY = XSD["gYear"], XSD["gYearMonth"], XSD["date"]
Parts = tuple[int, int | None, int | None]


class Period(NamedTuple):
    """A stretch of time, by its first and its last year, month or day."""

    first: Literal
    last: Literal


def read(text: str) -> Literal | Period:
    """Return the date or period a cell says.

    Raises:
        Unreadable: It says none; with the date it might be, where there is one.
    """
    text = text.strip()
    if iso := _ISO.fullmatch(text):
        return _literal((int(iso[1]), _number(iso[2]), _number(iso[3])))
    for pattern, reader in _READERS:
        if found := pattern.fullmatch(folded(text) if pattern in _WORDS else text):
            return reader(found)
    if _SIDES.search(text):
        return _between(text)
    if text.isdigit() and int(text) in _SERIALS:
        meant = _EPOCH + timedelta(days=int(text))
        raise Unreadable("serial-date", (f"{meant:%d/%m/%Y}",))
    raise Unreadable("bad-date")


def is_none(text: str) -> bool:
    """Say whether words in a date's cell say that there is no date: « NON LANCÉE »."""
    return bool(_NO_DATE.fullmatch(folded(text)))


def inside(text: str) -> str:
    """Return the date that opens a comment or ends « Mis à jour le », "" where there is none."""
    found = _INSIDE.match(text)
    return (found[1] or found[2] or "").strip() if found else ""


def _dmy(found: re.Match[str]) -> Literal:
    day, month, year = int(found[1]), int(found[2]), int(found[3])
    if len(found[3]) == 2:  # noqa: PLR2004 - a year of two digits
        year += 2000 if year < _CENTURY else 1900
    if month > 12 >= day:  # noqa: PLR2004
        raise Unreadable("month-first", (f"{month:02}/{day:02}/{year}",))
    return _literal((year, month, day))


def _words(found: re.Match[str]) -> Literal:
    if found[2] not in _MONTHS:
        raise Unreadable("bad-date")
    return _literal((int(found[3]), _MONTHS[found[2]], _number(found[1])))


def _quarter(found: re.Match[str]) -> Period:
    year, number, unit = (found[f"{c}1"] or found[f"{c}2"] or found[f"{c}3"] for c in "ynu")
    months = 3 if unit == "t" else 6
    last = int(number) * months
    if last > 12:  # noqa: PLR2004
        raise Unreadable("bad-date")
    first = last - months + 1
    return Period(_literal((int(year), first, None)), _literal((int(year), last, None)))


def _school_or_range(found: re.Match[str]) -> Period:
    first, last = int(found[1]), int(found[2])
    if first > last:
        raise Unreadable("bad-date")
    return Period(_literal((first, None, None)), _literal((last, None, None)))


def _between(text: str) -> Period:
    """Read « 01/03/2015 - 30/06/2015 », « du 1er mars 2015 au 30 juin 2015 »."""
    parts = _SIDES.split(re.sub(r"^du\s+", "", text))
    if len(parts) != 2:  # noqa: PLR2004
        raise Unreadable("bad-date")
    first, last = read(parts[0]), read(parts[1])
    if isinstance(first, Period) or isinstance(last, Period) or first.value > last.value:
        raise Unreadable("bad-date")
    return Period(first, last)


def _literal(parts: Parts) -> Literal:
    year, month, day = parts
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        raise Unreadable("no-such-date") from None
    if month is None:
        return Literal(f"{year:04}", datatype=_YEAR)
    if day is None:
        return Literal(f"{year:04}-{month:02}", datatype=_MONTH)
    return Literal(f"{year:04}-{month:02}-{day:02}", datatype=_DAY)


def _number(text: str | None) -> int | None:
    return int(text) if text else None


_ISO: Final = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?:[T ]\d.*)?")
_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Literal | Period]], ...]] = (
    (re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?: \d{1,2}[:h]\d{2}.*)?"), _dmy),
    (re.compile(r"(\d{1,2})/(\d{4})"), lambda m: _literal((int(m[2]), int(m[1]), None))),
    (re.compile(r"(\d{4})\s*[-–/]\s*(\d{4})"), _school_or_range),
    (re.compile(r"(?:(?:le )?(\d{1,2})(?:er)? )?([a-z]+) (\d{4})"), _words),
    (
        re.compile(
            r"(?P<y1>\d{4}) ?(?P<u1>[ts]) ?(?P<n1>[1-4])|"
            r"(?P<u2>[ts]) ?(?P<n2>[1-4]) ?(?P<y2>\d{4})|"
            r"(?P<n3>[1-4])(?:er?|eme)? (?P<u3>[ts])(?:rimestre|emestre) (?P<y3>\d{4})"
        ),
        _quarter,
    ),
)
_WORDS: Final = frozenset(pattern for pattern, _ in _READERS[3:])
_DATE: Final = r"\d{1,2}/\d{1,2}/\d{4}|\d{1,2}(?:er)? [^\W\d]+ \d{4}|\d{4}-\d{2}-\d{2}"
_INSIDE: Final = re.compile(rf"(?i)(?:le )?({_DATE})\b|.*mis(?:e)? à jour le ({_DATE})\b")
