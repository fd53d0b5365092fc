"""Commitments: where each stands, by what its follow-ups declare.

A progress is shown with the follow-up that declares it; one whose author or date is not
known is no figure, and is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import DCT, PROV, RDFS, THC, Term, day_of, text_in
from thc_graph.store.queries import Reader

CHUNK = 500  # commitments read at once: an answer of the store has a size limit

Facts = Mapping[Term, Mapping[NamedNode, list[Term]]]


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
    facts: dict[Term, dict[NamedNode, list[Term]]] = defaultdict(lambda: defaultdict(list))
    follow_ups: dict[Term, list[Term]] = defaultdict(list)
    for triple in await reader.graph("dashboard/facts", engagement=entities):
        facts[triple.subject][triple.predicate].append(triple.object)
        if triple.predicate == THC["suiviDe"]:
            follow_ups[triple.object].append(triple.subject)
    return {
        each.value: _commitment(each, facts, follow_ups[each], language)
        for each in entities
        if each in facts
    }


def _commitment(
    iri: NamedNode, facts: Facts, follow_ups: Iterable[Term], language: str
) -> Commitment:
    said = facts[iri]
    declared = (_declared(each, facts, language) for each in follow_ups)
    return Commitment(
        iri,
        status=_iri(said, THC["statutCourant"]),
        start=_literal(said, THC["debut"]),
        planned=_literal(said, THC["echeance"]),
        revised=_literal(said, THC["echeanceRevisee"]),
        source=_one(said, DCT["source"]),
        plan=_iri(said, THC["plan"]),
        authority=_iri(said, THC["engagePar"]),
        territories=_iris(said, THC["territoire"]),
        headings=_iris(said, DCT["subject"]),
        follow_ups=tuple(sorted(filter(None, declared), key=_rank, reverse=True)),
    )


def _declared(follow_up: Term, facts: Facts, language: str) -> Declared | None:
    said = facts[follow_up]
    date, author = _literal(said, DCT["date"]), _iri(said, PROV["wasAttributedTo"])
    if date is None or author is None or not isinstance(follow_up, NamedNode):
        return None
    comments = [each for each in said.get(RDFS["comment"], ()) if isinstance(each, Literal)]
    return Declared(
        follow_up,
        date,
        author,
        source=_one(said, DCT["source"]),
        status=_iri(said, THC["statut"]),
        progress=_literal(said, THC["progression"]),
        comment=text_in(comments, language),
    )


def _rank(declared: Declared) -> tuple[int, str]:
    """Order follow-ups as queries/derive/statut-courant.rq does."""
    return day_of(declared.date.value), declared.iri.value


def _one(said: Mapping[NamedNode, list[Term]], name: NamedNode) -> Term | None:
    return min(said.get(name, ()), key=str, default=None)


def _literal(said: Mapping[NamedNode, list[Term]], name: NamedNode) -> Literal | None:
    found = _one(said, name)
    return found if isinstance(found, Literal) else None


def _iri(said: Mapping[NamedNode, list[Term]], name: NamedNode) -> NamedNode | None:
    return next(iter(_iris(said, name)), None)


def _iris(said: Mapping[NamedNode, list[Term]], name: NamedNode) -> tuple[NamedNode, ...]:
    found = sorted(said.get(name, ()), key=str)
    return tuple(each for each in found if isinstance(each, NamedNode))
