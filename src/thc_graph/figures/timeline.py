"""The time line: everything that has a date, month by month, the last first."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf import facts
from thc_graph.rdf.terms import DCT, THC
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import NodeShape
from thc_graph.store.library import Reader
from thc_graph.store.snapshots.artefacts import Index

SIZE: Final = 100  # things of a page
MONTH: Final = len("2016-03")
SCHEMA: Final = "http://schema.org/"
# What is told of a kind, and the property that says when; a kind without facts has no line.
DATES: Final = {
    "evenement": NamedNode(f"{SCHEMA}startDate"),
    "suivi": DCT["date"],
    "engagement": THC["echeance"],
    "plan": THC["dateValidation"],
    "adhesion": THC["dateAdhesion"],
    "convention": THC["dateSignature"],
    "gap": THC["dateCreation"],
}


@dataclass(frozen=True)
class Moment:
    iri: NamedNode
    kind: str
    label: Literal | None
    date: Literal

    @property
    def month(self) -> str:
        """The month, or the year where no month is known."""
        return self.date.value[:MONTH]


@dataclass(frozen=True)
class TimeLine:
    """A page of what happened to things of one kind; `undated` of the page stand nowhere."""

    kind: str
    total: int
    number: int
    pages: int
    undated: int
    months: tuple[tuple[str, tuple[Moment, ...]], ...]


def kinds(schema: Schema) -> dict[str, NodeShape]:
    """Return the kinds that have dates, by the shape that names them."""
    shapes = {shape.kind: shape for shape in schema.listed()}
    return {kind: shapes[kind] for kind in DATES if kind in shapes}


async def timeline(
    reader: Reader, index: Index, kind: str, number: int, language: str
) -> TimeLine | None:
    """Return a page of the time line of a kind, None where there is none such."""
    found = index.listed(kind, (), {})
    first = (number - 1) * SIZE
    total, iris = index.select(found, "date", max(0, first), SIZE, descending=True)
    pages = max(1, -(-total // SIZE))
    if not 1 <= number <= pages:
        return None
    things = [NamedNode(iri) for iri in iris]
    told = facts.by_subject(
        await reader.graph("agenda/dates", chose=things, propriete=[DATES[kind]])
    )
    labels = index.labels(iris, language)
    dated = ((each, facts.literal(told.get(each, {}), DATES[kind])) for each in things)
    moments = [Moment(each, kind, labels.get(each.value), date) for each, date in dated if date]
    months = groupby(moments, lambda moment: moment.month)
    by_month = tuple((month, tuple(each)) for month, each in months)
    return TimeLine(kind, total, number, pages, len(things) - len(moments), by_month)
