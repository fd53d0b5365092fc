"""The board: counts of commitments by status, pillar and territory, and what to look at.

Counts come from the index, so that they cost the same whatever the store holds; what a
line says of a commitment comes from the store, for the commitments shown only.
"""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from thc_graph.figures import commitments
from thc_graph.figures.commitments import Commitment
from thc_graph.rdf.terms import XSD, Term, day_of
from thc_graph.store.library import Filling, Reader
from thc_graph.store.snapshots.artefacts import Index

KIND: Final = "engagement"
SIZE: Final = 25  # commitments of a page
SHOWN: Final = 5  # commitments of each of the lists to look at
LINES: Final = 20  # territories compared
SILENCE: Final = 6  # months without a follow-up
NEAR: Final = 3  # months before a deadline
MOST: Final = 100_000  # commitments of an export
NEVER: Final = 99_999_999
CLOSED: Final = ("realise", "abandonne")  # nothing more is awaited
BEST_FIRST: Final = ("realise", "partiellement-realise", "en-cours", "preparation", "non-demarre")
PASSED, SOON, LATER, NONE = "depassee", "bientot", "plus-tard", "sans"
DELAYS: Final = (PASSED, SOON, LATER, NONE)

Value = NamedNode | Literal


@dataclass(frozen=True)
class Asked:
    """What an address asks of a dashboard on a day; `filters` are those of the list."""

    today: date
    filters: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    delay: str = ""
    since: date | None = None
    number: int = 1
    language: str = "fr"

    @property
    def told_since(self) -> date:
        return self.since or shifted(self.today, -SILENCE)


@dataclass(frozen=True)
class Status:
    iri: NamedNode
    code: str

    @property
    def is_open(self) -> bool:
        return self.code not in CLOSED


@dataclass(frozen=True)
class Share:
    status: Status
    count: int


@dataclass(frozen=True)
class Line:
    """Some commitments by status; `last` is the one of which something was told last."""

    term: NamedNode | None
    shares: tuple[Share, ...]
    total: int
    last: Commitment | None = None
    among: tuple[NamedNode, ...] = ()  # the values the line stands for

    def count(self, *codes: str) -> int:
        return sum(share.count for share in self.shares if share.status.code in codes)


@dataclass(frozen=True)
class Watch:
    """Some of the `total` commitments that deserve a look."""

    total: int
    commitments: tuple[Commitment, ...]


@dataclass(frozen=True)
class Board:
    asked: Asked
    statuses: tuple[Status, ...]
    whole: Line
    pillars: tuple[Line, ...]
    elsewhere: int  # under no pillar
    territories: tuple[Line, ...]
    passed: Watch
    silent: Watch
    soon: Watch
    changed: Watch
    rows: tuple[Commitment, ...]
    pages: int
    labels: Mapping[str, Literal | None]

    @property
    def today(self) -> int:
        return day_of(self.asked.today.isoformat())

    def status(self, iri: NamedNode | None) -> Status | None:
        return next((each for each in self.statuses if each.iri == iri), None)

    def label(self, term: Term | None) -> Literal | None:
        return self.labels.get(term.value) if isinstance(term, NamedNode) else None

    def is_passed(self, commitment: Commitment) -> bool:
        """Tell whether a deadline is over and the commitment neither done nor given up."""
        status = self.status(commitment.status)
        is_open = status is None or status.is_open
        return is_open and 0 < commitment.ends < self.today


def shifted(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of that month.

    >>> shifted(date(2026, 8, 31), -6)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


async def statuses(reader: Reader) -> tuple[Status, ...]:
    """Return the statuses, those nearest to the goal first."""

    async def make() -> tuple[Status, ...]:
        rows = await reader.bindings("dashboard/statuses")
        found = [
            Status(row["statut"], row["code"].value)
            for row in rows
            if isinstance(row["statut"], NamedNode) and isinstance(row["code"], Literal)
        ]
        return tuple(sorted(found, key=_nearness))

    return await reader.once("dashboard/statuses", make)


def _nearness(status: Status) -> int:
    return BEST_FIRST.index(status.code) if status.code in BEST_FIRST else len(BEST_FIRST)


@dataclass(frozen=True)
class Heading:
    """A concept of the scheme; `holds` are all those below it, itself among them."""

    iri: NamedNode
    parent: NamedNode | None
    holds: tuple[NamedNode, ...]


async def headings(reader: Reader) -> dict[NamedNode, Heading]:
    """Return the concepts of the scheme « Démocratie Ouverte »."""

    async def make() -> dict[NamedNode, Heading]:
        found: dict[NamedNode, Heading] = {}
        for row in await reader.bindings("dashboard/headings"):
            iri, parent, held = row["rubrique"], row.get("parent"), row["contenue"]
            if isinstance(iri, NamedNode) and isinstance(held, NamedNode):
                above = parent if isinstance(parent, NamedNode) else None
                known = found[iri].holds if iri in found else ()
                found[iri] = Heading(iri, above, (*known, held))
        return found

    return await reader.once("dashboard/headings", make)


def pillars(known: Mapping[NamedNode, Heading]) -> list[Heading]:
    """Return the concepts right below the top of the scheme."""
    tops = {each.iri for each in known.values() if each.parent is None}
    return [each for each in known.values() if each.parent in tops]


async def expanded(reader: Reader, asked: Asked) -> Asked:
    """Return what is asked with each heading standing for all those it holds."""
    wanted = asked.filters.get("rubrique")
    if not wanted:
        return asked
    known = await headings(reader)
    iris = [each for each in wanted if isinstance(each, NamedNode)]
    held = [one for each in iris for one in (known[each].holds if each in known else (each,))]
    return replace(asked, filters={**asked.filters, "rubrique": tuple(dict.fromkeys(held))})


# The questions a dashboard asks of the index


@dataclass(frozen=True)
class Narrowed:
    """The commitments an address asks for, and the ways to look at them."""

    index: Index
    asked: Asked
    statuses: tuple[Status, ...]

    @property
    def whole(self) -> Any:
        filters = {name: [str(v) for v in values] for name, values in self.asked.filters.items()}
        found = self.index.listed(KIND, (), filters)
        narrowing = {PASSED: self.passed, SOON: self.soon, LATER: self.later, NONE: self.never}
        narrow = narrowing.get(self.asked.delay)
        return narrow(found) if narrow else found

    def open(self, found: Any) -> Any:
        iris = [str(each.iri) for each in self.statuses if each.is_open]
        return self.index.meeting(found, "statutCourant", iris)

    def passed(self, found: Any) -> Any:
        return self.index.between(self.open(found), "ends", 1, self._day(self.asked.today) - 1)

    def soon(self, found: Any) -> Any:
        first, last = self._day(self.asked.today), self._day(shifted(self.asked.today, NEAR))
        return self.index.between(self.open(found), "ends", first, last)

    def later(self, found: Any) -> Any:
        first = self._day(shifted(self.asked.today, NEAR)) + 1
        return self.index.between(self.open(found), "ends", first, NEVER - 1)

    def never(self, found: Any) -> Any:
        return self.index.between(found, "ends", NEVER, NEVER)

    def silent(self, found: Any) -> Any:
        before = self._day(shifted(self.asked.today, -SILENCE)) - 1
        return self.index.between(self.open(found), "told", 0, before)

    def changed(self, found: Any) -> Any:
        return self.index.between(found, "told", self._day(self.asked.told_since), NEVER)

    def shares(self, found: Any) -> tuple[Share, ...]:
        written = {str(each.iri): each for each in self.statuses}
        counts = self.index.values(found, "statutCourant")
        counted = (Share(each, counts.get(key, 0)) for key, each in written.items())
        return tuple(share for share in counted if share.count)

    def last(self, found: Any) -> list[str]:
        """Return the IRI of the commitment of which something was told last."""
        told = self.index.between(found, "told", 1, NEVER)
        return self.index.select(told, "told", 0, 1, descending=True)[1]

    def having(self, facet: str, values: Iterable[NamedNode]) -> Any:
        return self.index.meeting(self.whole, facet, [str(each) for each in values])

    def line(
        self, term: NamedNode | None, among: tuple[NamedNode, ...], found: Any
    ) -> tuple[Line, list[str]]:
        """Return a line of a table, and the commitment it was told of last."""
        return Line(term, self.shares(found), self.index.total(found), among=among), self.last(
            found
        )

    def _day(self, day: date) -> int:
        return day_of(day.isoformat())


async def select(reader: Reader, index: Index, asked: Asked) -> list[str]:
    """Return the IRIs of all commitments asked for, by deadline."""
    narrowed = Narrowed(index, await expanded(reader, asked), await statuses(reader))
    return index.select(narrowed.whole, "ends", 0, MOST)[1]


@dataclass(frozen=True)
class Counted:
    """What the index says of a dashboard: counts, and the IRIs of the commitments to show."""

    total: int
    rows: list[str]
    watched: Mapping[str, tuple[int, list[str]]]
    lines: Mapping[str, list[tuple[Line, list[str]]]]  # each with the commitment told of last
    elsewhere: int

    @property
    def shown(self) -> list[str]:
        watched = (iri for _, iris in self.watched.values() for iri in iris)
        last = (iri for lines in self.lines.values() for _, iris in lines for iri in iris)
        return [*self.rows, *watched, *last]


async def board(reader: Reader, index: Index, asked: Asked) -> Board | None:
    """Return a dashboard, None where it has no such page."""
    known = await statuses(reader)
    narrowed = Narrowed(index, await expanded(reader, asked), known)
    by_pillar = pillars(await headings(reader))
    counted = await reader.aside(partial(_counted, narrowed, by_pillar))
    pages = max(1, -(-counted.total // SIZE))
    if not 1 <= asked.number <= pages:
        return None
    found = await commitments.read(reader, counted.shown, asked.language)
    drawn = {
        kind: tuple(_with_last(line, last, found) for line, last in lines)
        for kind, lines in counted.lines.items()
    }
    named = _named(found.values(), chain.from_iterable(drawn.values()), known)
    return Board(
        asked,
        known,
        drawn["whole"][0],
        drawn["pillar"],
        counted.elsewhere,
        drawn["territory"],
        rows=tuple(found[iri] for iri in counted.rows if iri in found),
        pages=pages,
        labels=index.labels(named, asked.language),
        **{
            name: Watch(of, tuple(found[iri] for iri in iris if iri in found))
            for name, (of, iris) in counted.watched.items()
        },
    )


def _counted(narrowed: Narrowed, by_pillar: Sequence[Heading]) -> Counted:
    index, whole = narrowed.index, narrowed.whole
    first = max(0, narrowed.asked.number - 1) * SIZE
    total, rows = index.select(whole, "ends", first, SIZE)
    under = [str(one) for each in by_pillar for one in each.holds]
    at = [NamedNode(iri) for iri in index.counts(whole, "at", LINES)]
    return Counted(
        total,
        rows,
        {
            "passed": index.select(narrowed.passed(whole), "ends", 0, SHOWN),
            "silent": index.select(narrowed.silent(whole), "told", 0, SHOWN),
            "soon": index.select(narrowed.soon(whole), "ends", 0, SHOWN),
            "changed": index.select(narrowed.changed(whole), "told", 0, SHOWN, descending=True),
        },
        {
            "whole": [narrowed.line(None, (), whole)],
            "pillar": [
                narrowed.line(each.iri, each.holds, narrowed.having("rubrique", each.holds))
                for each in by_pillar
            ],
            "territory": [
                narrowed.line(each, (each,), narrowed.having("territoire", (each,))) for each in at
            ],
        },
        total - index.total(index.meeting(whole, "rubrique", under)),
    )


def _with_last(line: Line, last: Sequence[str], found: Mapping[str, Commitment]) -> Line:
    told = next((found[iri] for iri in last if iri in found), None)
    return Line(line.term, line.shares, line.total, told, line.among)


def _named(
    found: Iterable[Commitment], lines: Iterable[Line], known: Iterable[Status]
) -> list[str]:
    """Return the IRIs of everything a dashboard names."""
    iris: dict[str, None] = {each.iri.value: None for each in known}
    for line in lines:
        iris |= {line.term.value: None} if line.term else {}
    for each in found:
        terms = [each.iri, each.plan, each.authority, *each.territories, *each.headings]
        terms += [declared.author for declared in each.follow_ups]
        iris |= {term.value: None for term in terms if term is not None}
    return list(iris)


async def query_of(reader: Reader, asked: Asked) -> str:
    """Return the SPARQL query whose commitments are those of the dashboard, all pages together."""
    wanted = await expanded(reader, asked)
    slots = {"plan": "plan", "territoire": "territoire", "rubrique": "rubrique"}
    filled: dict[str, Filling] = {
        slot: wanted.filters[name] for name, slot in slots.items() if wanted.filters.get(name)
    }
    chosen = set(asked.filters.get("statutCourant", ()))
    if chosen or asked.delay in (PASSED, SOON, LATER):
        known = await statuses(reader)
        filled["statut"] = [
            each.iri
            for each in known
            if (not chosen or each.iri in chosen) and (asked.delay in ("", NONE) or each.is_open)
        ]
    near = shifted(asked.today, NEAR)
    bounds = {
        PASSED: {"terme": asked.today - timedelta(1)},
        SOON: {"depart": asked.today, "terme": near},
        LATER: {"depart": near + timedelta(1)},
    }
    for slot, day in bounds.get(asked.delay, {}).items():
        filled[slot] = Literal(day.isoformat(), datatype=XSD["date"])
    if asked.delay == NONE:
        filled["sans"] = Literal("true", datatype=XSD["boolean"])
    return reader.library.fill("dashboard/commitments", **filled)
