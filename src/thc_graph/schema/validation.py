"""Validation: the only maker of `Accepted`.

A change is validated on the neighbourhood its shapes look at, not on the whole
store: a focus node with all its facts, and what the paths of its shapes reach. What
plainly conforms passes at once; pySHACL judges the rest (docs/decisions/0002).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import NamedNode, Triple

from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import A, Term
from thc_graph.schema.conformance import Conformance, ShapesGraph, Unsupported, walks
from thc_graph.schema.model import Schema
from thc_graph.schema.reports import Violation

Describe = Callable[[Iterable[NamedNode]], Iterable[Triple]]
"""Returns all published facts of some subjects, as they would stand after the change."""


@dataclass(frozen=True)
class Accepted:
    """A change that may be recorded; made by `accept` alone. Its warnings do not refuse it."""

    change: ChangeSet
    warnings: tuple[Violation, ...] = ()
    _seal: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise TypeError("Only thc_graph.schema.validation makes an Accepted change.")


_SEAL = object()
PART: Final = 5_000  # entities looked at together, with their neighbours, before the next ones


def accept(change: ChangeSet, violations: Iterable[Violation]) -> Accepted | list[Violation]:
    """Return the change as accepted, or all its violations when one of them refuses it.

    Raises:
        ValueError: It adds a blank node or a triple term: a key is to be minted first.
    """
    if nameless := change.nameless():
        raise ValueError(f"Published data hold no blank node: {nameless}")
    found = list(violations)
    if any(each.refuses for each in found):
        return found
    return Accepted(change, tuple(found), _SEAL)


def accept_unchecked(change: ChangeSet) -> Accepted:
    """Accept a change without rules: a store in conformance mode, or an undo of what was valid."""
    return Accepted(change, (), _SEAL)


def violations(focus: Iterable[NamedNode], describe: Describe, schema: Schema) -> list[Violation]:
    """Validate entities against the shapes of their classes.

    Args:
        focus: The entities to validate; those without a class are skipped.
        describe: Gives the facts of entities after the change.
        schema: Whose shapes hold.
    """
    nodes, shapes = sorted(set(focus), key=str), ShapesGraph(schema.graph)
    parts = (nodes[start : start + PART] for start in range(0, len(nodes), PART))
    doubtful = {node for part in parts for node in _doubtful(part, describe, shapes, schema)}
    if not doubtful:
        return []
    facts, _ = _near(doubtful, describe, shapes, schema)
    from thc_graph.schema import shacl  # noqa: PLC0415 - half a second, for the doubtful alone

    found = shacl.results((*facts.all(), *schema.ontology), schema.graph)
    told = {(each.focus, each.path, each.message): each for each in found if each.focus in doubtful}
    return list(told.values())


def _doubtful(
    nodes: Iterable[NamedNode], describe: Describe, shapes: ShapesGraph, schema: Schema
) -> Iterator[NamedNode]:
    """Yield the entities that do not plainly conform to all their shapes."""
    facts, by_shape = _near(nodes, describe, shapes, schema)
    quick = Conformance(shapes, facts.objects, schema.descendants)
    for shape, members in by_shape.items():
        for node in members:
            try:
                if quick.holds(node, shape):
                    continue
            except Unsupported:
                pass
            yield node


def _near(
    nodes: Iterable[NamedNode], describe: Describe, shapes: ShapesGraph, schema: Schema
) -> tuple["_Facts", dict[NamedNode, list[NamedNode]]]:
    """Return the facts of entities and of all that their shapes' paths reach, and who has which."""
    facts = _Facts(describe)
    facts.fetch(nodes)
    by_shape = _focus_by_shape(nodes, facts, schema)
    _fetch_neighbours(by_shape, facts, shapes)
    return facts, by_shape


class _Facts:
    """Facts of entities by predicate, each entity fetched once."""

    def __init__(self, describe: Describe) -> None:
        self.describe = describe
        self.known: dict[Term, dict[NamedNode, list[Term]]] = {}

    def fetch(self, nodes: Iterable[Term]) -> None:
        missing = {n for n in nodes if isinstance(n, NamedNode) and n not in self.known}
        self.known.update({node: {} for node in missing})
        for triple in self.describe(missing) if missing else ():
            self.known[triple.subject].setdefault(triple.predicate, []).append(triple.object)

    def objects(self, node: Term, predicate: NamedNode) -> Sequence[Term]:
        return self.known.get(node, _NOTHING).get(predicate, ())

    def all(self) -> Iterator[Triple]:
        for node, said in self.known.items():
            assert isinstance(node, NamedNode)  # nothing else is fetched
            for predicate, values in said.items():
                yield from (Triple(node, predicate, value) for value in values)


_NOTHING: Final[dict[NamedNode, list[Term]]] = {}


def _focus_by_shape(
    nodes: Iterable[NamedNode], facts: _Facts, schema: Schema
) -> dict[NamedNode, list[NamedNode]]:
    found: dict[NamedNode, dict[NamedNode, None]] = {}
    for node in sorted(nodes, key=str):
        for class_ in facts.objects(node, A):
            if isinstance(class_, NamedNode):
                for shape in schema.shapes_of(class_):
                    found.setdefault(shape.iri, {})[node] = None
        for iri, property_ in schema.by_property:
            if facts.objects(node, property_):
                found.setdefault(iri, {})[node] = None
    return {shape: list(members) for shape, members in found.items()}


def _fetch_neighbours(
    by_shape: dict[NamedNode, list[NamedNode]], facts: _Facts, shapes: ShapesGraph
) -> None:
    """Fetch what the paths of the shapes reach: each step's nodes, and the facts of the last."""
    for shape, members in by_shape.items():
        for path in sorted(set(walks(shapes, shape)), key=str):
            reached: set[Term] = set(members)
            for predicate in path:
                reached = {o for node in reached for o in facts.objects(node, predicate)}
                facts.fetch(reached)
