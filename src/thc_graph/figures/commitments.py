"""Commitments: where each stands, by what its follow-ups declare.

A progress is shown with the follow-up that declares it; one whose author or date is not
known is no figure, and is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf import facts
from thc_graph.rdf.facts import Said
from thc_graph.rdf.terms import DCT, PROV, RDFS, THC, Term, day_of, text_in
from thc_graph.store.library import Reader

CHUNK = 500  # commitments read at once: an answer of the store has a size limit

Facts = Mapping[Term, Said]


@dataclass(frozen=True)
class Declared:
    """What one follow-up says of a commitment, by whom and when."""

    iri: NamedNode
    date: Literal
    author: NamedNode
    source: Term | None = None
    status: NamedNode | None = None
    progress: Literal | None = None
    comment: Literal | None = None


@dataclass(frozen=True)
class Commitment:
    """One commitment; `follow_ups` are those of a known author and date, the last one first."""

    iri: NamedNode
    status: NamedNode | None
    start: Literal | None
    planned: Literal | None
    revised: Literal | None
    source: Term | None
    plan: NamedNode | None
    authority: NamedNode | None
    territories: tuple[NamedNode, ...]
    headings: tuple[NamedNode, ...]
    follow_ups: tuple[Declared, ...]

    @property
    def due(self) -> Literal | None:
        return self.revised or self.planned

    @property
    def ends(self) -> int:
        """The day on which the deadline is over, as a number; 0 without a deadline."""
        return day_of(self.due.value) if self.due else 0

    @property
    def last(self) -> Declared | None:
        return next(iter(self.follow_ups), None)

    @property
    def progress(self) -> Declared | None:
        """The last follow-up that gives a progress."""
        return next((each for each in self.follow_ups if each.progress), None)

    @property
    def standing(self) -> Declared | None:
        """The last follow-up that gives a status; without one, the status is a rule's."""
        return next((each for each in self.follow_ups if each.status), None)


async def read(reader: Reader, iris: Sequence[str], language: str) -> dict[str, Commitment]:
    """Return commitments by IRI, in the order asked for; what is none is left out."""
    found: dict[str, Commitment] = {}
    wanted = list(dict.fromkeys(iris))
    for first in range(0, len(wanted), CHUNK):
        entities = [NamedNode(each) for each in wanted[first : first + CHUNK]]
        found |= await _chunk(reader, entities, language)
    return found


async def _chunk(
    reader: Reader, entities: Sequence[NamedNode], language: str
) -> dict[str, Commitment]:
    found = facts.by_subject(await reader.graph("dashboard/facts", engagement=entities))
    follow_ups: dict[Term, list[Term]] = defaultdict(list)
    for subject, said in found.items():
        for followed in facts.iris(said, THC["suiviDe"]):
            follow_ups[followed].append(subject)
    return {
        each.value: _commitment(each, found, follow_ups[each], language)
        for each in entities
        if each in found
    }


def _commitment(
    iri: NamedNode, found: Facts, follow_ups: Iterable[Term], language: str
) -> Commitment:
    said = found[iri]
    declared = (_declared(each, found, language) for each in follow_ups)
    return Commitment(
        iri,
        status=facts.iri(said, THC["statutCourant"]),
        start=facts.literal(said, THC["debut"]),
        planned=facts.literal(said, THC["echeance"]),
        revised=facts.literal(said, THC["echeanceRevisee"]),
        source=facts.one(said, DCT["source"]),
        plan=facts.iri(said, THC["plan"]),
        authority=facts.iri(said, THC["engagePar"]),
        territories=facts.iris(said, THC["territoire"]),
        headings=facts.iris(said, DCT["subject"]),
        follow_ups=tuple(sorted(filter(None, declared), key=_rank, reverse=True)),
    )


def _declared(follow_up: Term, found: Facts, language: str) -> Declared | None:
    said = found[follow_up]
    date, author = facts.literal(said, DCT["date"]), facts.iri(said, PROV["wasAttributedTo"])
    if date is None or author is None or not isinstance(follow_up, NamedNode):
        return None
    return Declared(
        follow_up,
        date,
        author,
        source=facts.one(said, DCT["source"]),
        status=facts.iri(said, THC["statut"]),
        progress=facts.literal(said, THC["progression"]),
        comment=text_in(facts.texts(said, RDFS["comment"]), language),
    )


def _rank(declared: Declared) -> tuple[int, str]:
    """Order follow-ups as queries/derive/statut-courant.rq does."""
    return day_of(declared.date.value), declared.iri.value
