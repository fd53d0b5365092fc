"""Facts: triples by subject and property, and the one value or the values that are wanted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import Term

Said = Mapping[NamedNode, list[Term]]  # of one subject


def by_subject(triples: Iterable[Triple]) -> dict[Term, Said]:
    found: dict[Term, dict[NamedNode, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for triple in triples:
        found[triple.subject][triple.predicate].append(triple.object)
    return dict(found)


def one(said: Said, name: NamedNode) -> Term | None:
    """Return the first value in an order of their own, so that it is always the same."""
    return min(said.get(name, ()), key=str, default=None)


def literal(said: Said, name: NamedNode) -> Literal | None:
    found = one(said, name)
    return found if isinstance(found, Literal) else None


def iri(said: Said, name: NamedNode) -> NamedNode | None:
    return next(iter(iris(said, name)), None)


def iris(said: Said, name: NamedNode) -> tuple[NamedNode, ...]:
    found = sorted(said.get(name, ()), key=str)
    return tuple(each for each in found if isinstance(each, NamedNode))


def texts(said: Said, name: NamedNode) -> list[Literal]:
    return [each for each in said.get(name, ()) if isinstance(each, Literal)]
