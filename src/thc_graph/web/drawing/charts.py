"""Charts: the geometry of drawings made by the server, each shown beside its table."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pyoxigraph import Literal

from thc_graph.figures.commitments import Commitment
from thc_graph.figures.dashboard import Share

GAP: Final = 0.4  # between two segments, in hundredths of a bar
WIDTH: Final = 720
MARGIN: Final = 10
ROW: Final = 38
HEAD: Final = 30  # where the dates stand
LEAST: Final = 4  # width of the shortest bar
TICKS: Final = 7  # dates along the top, at most
MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120)  # between two of them
LETTERS: Final = 74  # of a label


@dataclass(frozen=True)
class Segment:
    """A part of a bar, in hundredths of its width."""

    share: Share
    x: float
    width: float


@dataclass(frozen=True)
class Period:
    """What stands on a line of a calendar."""

    commitment: Commitment
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Calendar:
    """Periods on lines of their own, with a mark for today where it is within the drawing."""

    width: int
    height: int
    periods: tuple[Period, ...]
    ticks: tuple[tuple[float, date], ...]
    today: float | None


def stacked(shares: Sequence[Share]) -> tuple[Segment, ...]:
    """Return a bar's parts, side by side with a gap between them."""
    total = sum(share.count for share in shares)
    if not total:
        return ()
    room = 100 - GAP * (len(shares) - 1)
    found, x = [], 0.0
    for share in shares:
        width = room * share.count / total
        found.append(Segment(share, round(x, 2), round(width, 2)))
        x += width + GAP
    return tuple(found)


def deadlines(commitments: Iterable[Commitment], today: date) -> Calendar | None:
    """Return the periods of the commitments that have a deadline, the next one first."""
    spans = [
        (each, first_day(each.start or each.due), last_day(each.due))
        for each in commitments
        if each.due
    ]
    known = [(each, min(start, end), end) for each, start, end in spans if start and end]
    if not known:
        return None
    first = min(start for _, start, _ in known).replace(day=1)
    final = max(end for *_, end in known)
    scale = (WIDTH - 2 * MARGIN) / max(1, (final - first).days)

    def at(day: date) -> float:
        return round(MARGIN + (day - first).days * scale, 1)

    periods = tuple(
        Period(each, at(start), HEAD + 8 + ROW * line, max(LEAST, round(at(end) - at(start), 1)))
        for line, (each, start, end) in enumerate(known)
    )
    ticks = tuple((at(day), day) for day in _ticks(first, final))
    mark = at(today) if first <= today <= final else None
    return Calendar(WIDTH, HEAD + 12 + ROW * len(known), periods, ticks, mark)


def _ticks(first: date, final: date) -> list[date]:
    months = (final.year - first.year) * 12 + final.month - first.month + 1
    step = next((each for each in MONTHS if months / each <= TICKS), MONTHS[-1])
    starts = (first.year * 12 + first.month - 1 + step * i for i in range(months // step + 1))
    found = (date(each // 12, each % 12 + 1, 1) for each in starts)
    return [day for day in found if day <= final]


def first_day(said: Literal | None) -> date | None:
    """Return the first day of a date, a month or a year; None for what is none."""
    return _day(said, "-01-01")


def last_day(said: Literal | None) -> date | None:
    """Return the last day of a date, a month or a year; None for what is none."""
    if said is None or len(said.value) != len("2016-03"):
        return _day(said, "-12-31")
    start = _day(said, "-01-01")
    return start and start.replace(day=calendar.monthrange(start.year, start.month)[1])


def _day(said: Literal | None, rest: str) -> date | None:
    if said is None:
        return None
    text = said.value[:10]
    try:
        return date.fromisoformat(text + rest[len(text) - len("2016") :])
    except ValueError:
        return None


def shortened(text: str, letters: int = LETTERS) -> str:
    """Return a text that stands on one line of a drawing."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
