"""The files of a dashboard: the commitments of all its pages, for those who work elsewhere."""

import asyncio
from functools import partial
from typing import Final
from xml.etree import ElementTree as ET

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.figures import commitments, dashboard
from thc_graph.figures.commitments import Commitment
from thc_graph.figures.dashboard import Asked
from thc_graph.lists import tables
from thc_graph.rdf import formats
from thc_graph.rdf.terms import Term, day_of
from thc_graph.sheets.tables.writing import WRITERS, Cell
from thc_graph.web.drawing import charts
from thc_graph.web.files import calendars, feeds
from thc_graph.web.files.forms import Form, Source

COLUMNS: Final = (
    "iri", "commitment", "plan", "authority", "territories", "status", "status_author",
    "status_date", "status_source", "progress", "progress_author", "progress_date",
    "progress_source", "start", "planned", "revised", "passed", "last", "source",
)  # fmt: skip


async def _commitments(source: Source[Asked]) -> list[Commitment]:
    iris = await dashboard.select(source.reading, source.reading.index, source.asked)
    return list((await commitments.read(source.reading, iris, source.language)).values())


class Names:
    """What a reader calls the things that commitments name."""

    def __init__(self, source: Source[Asked], found: list[Commitment]) -> None:
        named: dict[str, None] = {}
        for each in found:
            terms = [each.iri, each.plan, each.authority, each.status, *each.territories]
            terms += [declared.author for declared in each.follow_ups]
            named |= {term.value: None for term in terms if term}
        self.labels = source.reading.index.labels(list(named), source.language)

    def of(self, term: Term | None) -> str:
        if isinstance(term, NamedNode):
            label = self.labels.get(term.value)
            return label.value if label else term.value
        return term.value if isinstance(term, Literal) else ""


async def _table(suffix: str, source: Source[Asked]) -> bytes:
    found = await _commitments(source)
    names = Names(source, found)
    known = {each.iri: each for each in await dashboard.statuses(source.reading)}
    today = day_of(source.asked.today.isoformat())

    def passed(each: Commitment) -> str:
        status = known.get(each.status) if each.status else None
        late = (status is None or status.is_open) and 0 < each.ends < today
        return source.t("value.true" if late else "value.false")

    rows = [_row(each, names, passed(each)) for each in found]
    headings = [source.t(f"board.column.{name}") for name in COLUMNS]
    return await asyncio.to_thread(WRITERS[suffix], headings, rows)


def _row(each: Commitment, names: Names, passed: str) -> tuple[Cell, ...]:
    standing, progress, last = each.standing, each.progress, each.last
    return (
        each.iri.value,
        names.of(each.iri),
        names.of(each.plan),
        names.of(each.authority),
        tables.BETWEEN.join(names.of(one) for one in each.territories),
        names.of(each.status),
        names.of(standing.author) if standing else "",
        standing.date.value if standing else "",
        names.of(standing.source) if standing else "",
        float(progress.progress.value) if progress and progress.progress else "",
        names.of(progress.author) if progress else "",
        progress.date.value if progress else "",
        names.of(progress.source) if progress else "",
        names.of(each.start),
        names.of(each.planned),
        names.of(each.revised),
        passed,
        last.date.value if last else "",
        names.of(each.source),
    )


async def _calendar(source: Source[Asked]) -> bytes:
    """Return the deadlines; a month or a year is over on its last day."""
    found = await _commitments(source)
    names = Names(source, found)
    entries = [
        calendars.Entry(
            uid=f"{each.iri.value}#echeance",
            title=source.t("board.deadline.of", name=names.of(each.iri)),
            start=day,
            text=f"{names.of(each.status)} – {names.of(each.authority)}",
            url=source.page_of(each.iri.value),
        )
        for each in found
        if (day := charts.last_day(each.due))
    ]
    name = f"{source.t('board.deadlines')} – {source.title}"
    return calendars.calendar(name, entries, source.reading.time)


async def _atom(source: Source[Asked]) -> bytes:
    """Return what was told since a day, the last first, as an Atom feed (RFC 4287)."""
    found = await _commitments(source)
    names = Names(source, found)
    since = day_of(source.asked.told_since.isoformat())
    told = [
        (each, declared)
        for each in found
        for declared in each.follow_ups
        if day_of(declared.date.value) >= since
    ]
    told.sort(key=lambda pair: (pair[1].date.value, pair[1].iri.value), reverse=True)
    iri, updated = f"{source.base}/tableau-de-bord", source.reading.time.isoformat()
    feed = feeds.begun(iri, source.t("board.title"), source.title, updated)
    for each, declared in told:
        entry = ET.SubElement(feed, "entry")
        day = charts.last_day(declared.date)
        moment = min(day, source.asked.today) if day else source.asked.today
        feeds.said(entry, "id", declared.iri.value)
        feeds.said(
            entry, "title", f"{names.of(each.iri)} – {names.of(declared.status)}".strip(" –")
        )
        feeds.said(entry, "updated", f"{moment.isoformat()}T00:00:00+00:00")
        feeds.said(ET.SubElement(entry, "author"), "name", names.of(declared.author))
        if declared.comment:
            feeds.said(entry, "summary", declared.comment.value)
        ET.SubElement(entry, "link", rel="alternate", href=source.page_of(each.iri.value))
    written: bytes = ET.tostring(feed, "utf-8", xml_declaration=True)
    return written


async def _graph(suffix: str, source: Source[Asked]) -> bytes:
    """Return what is published about the commitments and their follow-ups."""
    form = formats.by_suffix(suffix)
    assert form is not None
    found = await _commitments(source)
    iris = [each.iri.value for each in found]
    iris += [one.iri.value for each in found for one in each.follow_ups]
    triples: list[Triple] = []
    async for some in tables.facts(source.reading, iris):
        triples.extend(some)
    return await asyncio.to_thread(formats.write, triples, form, {})


async def _query(source: Source[Asked]) -> bytes:
    return (await dashboard.query_of(source.reading, source.asked)).encode()


_OFFICE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: Final[tuple[Form[Asked], ...]] = (
    Form("CSV", "csv", "text/csv", partial(_table, "csv")),
    Form("XLSX", "xlsx", _OFFICE, partial(_table, "xlsx")),
    Form("iCal", "ics", calendars.MEDIA_TYPE, _calendar),
    Form("Atom", "atom", "application/atom+xml", _atom, shown=True),
    Form("JSON-LD", "jsonld", "application/ld+json", partial(_graph, "jsonld"), shown=True),
    Form("Turtle", "ttl", "text/turtle", partial(_graph, "ttl"), shown=True),
    Form("SPARQL", "rq", "application/sparql-query", _query, shown=True),
)
