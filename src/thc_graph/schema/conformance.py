"""Conformance: a quick yes to what plainly conforms, so that pySHACL judges only the rest.

This says "conforms" only where every constraint is of a kind read here and holds
(SHACL, sections 4.1 to 4.8, without closed shapes and property pairs). Whatever it
does not know raises `Unsupported`, and the entity goes before the reference engine,
whose word alone refuses or warns. A test compares the two.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import DASH, RDF, RDFS, SH, SKOS, THC, XSD, A, Term

Objects = Callable[[Term, NamedNode], Iterable[Term]]
"""Gives the values of a property of a node."""


class Unsupported(Exception):
    """The shape holds a constraint that is not read here."""


class ShapesGraph:
    """The shapes' triples by subject, for walking."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self.facts: dict[Term, list[Triple]] = {}
        for triple in triples:
            self.facts.setdefault(triple.subject, []).append(triple)

    def of(self, shape: Term) -> list[Triple]:
        return self.facts.get(shape, [])

    def members(self, node: Term) -> list[Term]:
        """Return the members of a list, or the node itself when it is none."""
        if node == RDF["nil"]:
            return []
        facts = {triple.predicate: triple.object for triple in self.of(node)}
        if RDF["first"] not in facts:
            return [node]
        return [facts[RDF["first"]], *self.members(facts[RDF["rest"]])]

    def path(self, shape: Term) -> tuple[NamedNode, ...]:
        """Return the predicates of a shape's path, empty for a node shape.

        Raises:
            Unsupported: The path is neither a predicate nor a sequence of them.
        """
        for triple in self.of(shape):
            if triple.predicate == SH["path"]:
                steps = self.members(triple.object)
                if not all(isinstance(step, NamedNode) for step in steps):
                    raise Unsupported
                return tuple(step for step in steps if isinstance(step, NamedNode))
        return ()


class Conformance:
    """Checks nodes against shapes.

    Args:
        shapes: The shapes graph.
        objects: Gives the values of a property of any node that a path reaches.
        descendants: Gives a class and all those below it.
    """

    def __init__(
        self,
        shapes: ShapesGraph,
        objects: Objects,
        descendants: Callable[[NamedNode], Iterable[NamedNode]],
    ) -> None:
        self.shapes, self.objects, self.descendants = shapes, objects, descendants
        self._compiled: dict[Term, tuple[tuple[NamedNode, ...], list[Triple]]] = {}

    def holds(self, node: Term, shape: Term) -> bool:
        """Say whether a node plainly conforms to a shape.

        Raises:
            Unsupported: Only the reference engine can say.
        """
        path, constraints = self._constraints(shape)
        values = list(self._reached(node, path))
        return all(self._holds(each, values, shape) for each in constraints)

    def _constraints(self, shape: Term) -> tuple[tuple[NamedNode, ...], list[Triple]]:
        if shape not in self._compiled:
            found = [t for t in self.shapes.of(shape) if not _is_about(t.predicate)]
            self._compiled[shape] = self.shapes.path(shape), found
        return self._compiled[shape]

    def _reached(self, node: Term, path: tuple[NamedNode, ...]) -> set[Term]:
        reached = {node}
        for predicate in path:
            reached = {value for each in reached for value in self.objects(each, predicate)}
        return reached

    def _holds(self, constraint: Triple, values: list[Term], shape: Term) -> bool:
        kind, wanted = constraint.predicate, constraint.object
        if kind in _OF_ALL:
            return _OF_ALL[kind](values, wanted)
        if kind in _OF_EACH:
            return all(_OF_EACH[kind](value, wanted) for value in values)
        if kind in _SHAPES:
            return all(self._holds_shapes(value, kind, wanted) for value in values)
        if kind == SH["class"] and isinstance(wanted, NamedNode):
            allowed = set(self.descendants(wanted))
            return all(not allowed.isdisjoint(self.objects(value, A)) for value in values)
        if kind == SH["in"]:
            return set(values) <= set(self.shapes.members(wanted))
        if kind == SH["qualifiedValueShape"]:
            return self._holds_count(values, wanted, shape)
        raise Unsupported

    def _holds_shapes(self, value: Term, kind: NamedNode, wanted: Term) -> bool:
        if kind in (SH["node"], SH["property"]):
            return self.holds(value, wanted)
        if kind == SH["not"]:
            return not self.holds(value, wanted)
        found = [self.holds(value, member) for member in self.shapes.members(wanted)]
        return all(found) if kind == SH["and"] else any(found)

    def _holds_count(self, values: list[Term], wanted: Term, shape: Term) -> bool:
        number = sum(self.holds(value, wanted) for value in values)
        bounds = {triple.predicate: triple.object for triple in self.shapes.of(shape)}
        least, most = bounds.get(SH["qualifiedMinCount"]), bounds.get(SH["qualifiedMaxCount"])
        return (least is None or number >= _number(least)) and (
            most is None or number <= _number(most)
        )


def _is_about(predicate: NamedNode) -> bool:
    """Say whether a triple of a shape says something about it, and constrains nothing."""
    return predicate in _ABOUT or predicate.value.startswith((THC, DASH, RDFS, SKOS))


def _number(term: Term) -> Decimal:
    if not isinstance(term, Literal) or term.datatype not in (XSD["integer"], XSD["decimal"]):
        raise Unsupported
    return Decimal(term.value)


def _has_datatype(value: Term, wanted: Term) -> bool:
    if not isinstance(value, Literal) or value.datatype != wanted:
        return False
    if wanted not in _LEXICAL:
        raise Unsupported
    return _LEXICAL[wanted](value.value)


def _has_kind(value: Term, wanted: Term) -> bool:
    if wanted == SH["IRI"]:
        return isinstance(value, NamedNode)
    if wanted == SH["Literal"]:
        return isinstance(value, Literal)
    raise Unsupported


def _text(value: Term) -> str:
    if isinstance(value, Literal | NamedNode):
        return value.value
    raise Unsupported


def _has_one_text_a_language(values: list[Term], wanted: Term) -> bool:
    languages = [v.language for v in values if isinstance(v, Literal) and v.language]
    return _text(wanted) != "true" or len(languages) == len(set(languages))


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and date.fromisoformat(text))
    except ValueError:
        return False


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


_LEXICAL: Final[dict[Term, Callable[[str], bool]]] = {
    XSD["string"]: lambda _: True,
    RDF["langString"]: lambda _: True,
    XSD["date"]: _is_date,
    XSD["gYearMonth"]: _matches(r"\d{4}-(0[1-9]|1[0-2])"),
    XSD["gYear"]: _matches(r"\d{4}"),
    XSD["integer"]: _matches(r"[+-]?\d+"),
    XSD["decimal"]: _matches(r"[+-]?\d+(\.\d+)?"),
    XSD["boolean"]: _matches(r"true|false"),
    XSD["time"]: _matches(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"),
}
_OF_ALL: Final[dict[NamedNode, Callable[[list[Term], Term], bool]]] = {
    SH["minCount"]: lambda values, wanted: len(values) >= _number(wanted),
    SH["maxCount"]: lambda values, wanted: len(values) <= _number(wanted),
    SH["hasValue"]: lambda values, wanted: wanted in values,
    SH["uniqueLang"]: _has_one_text_a_language,
}
_OF_EACH: Final[dict[NamedNode, Callable[[Term, Term], bool]]] = {
    SH["datatype"]: _has_datatype,
    SH["nodeKind"]: _has_kind,
    SH["pattern"]: lambda value, wanted: re.search(_text(wanted), _text(value)) is not None,
    SH["minLength"]: lambda value, wanted: len(_text(value)) >= _number(wanted),
    SH["maxLength"]: lambda value, wanted: len(_text(value)) <= _number(wanted),
    SH["minInclusive"]: lambda value, wanted: _number(value) >= _number(wanted),
    SH["maxInclusive"]: lambda value, wanted: _number(value) <= _number(wanted),
}
_SHAPES: Final = frozenset(SH[name] for name in ("property", "node", "not", "or", "and"))
_NAMES: Final = (
    *("path", "name", "description", "message", "group", "order", "severity", "defaultValue"),
    *("targetClass", "targetSubjectsOf", "qualifiedMinCount", "qualifiedMaxCount"),
)
_ABOUT: Final = frozenset((A, *(SH[name] for name in _NAMES)))


def walks(
    shapes: ShapesGraph, shape: Term, before: tuple[NamedNode, ...] = (), depth: int = 6
) -> Iterator[tuple[NamedNode, ...]]:
    """Yield every path a shape walks, those inside sh:or, sh:not and sh:node included."""
    try:
        here = before + shapes.path(shape)
    except Unsupported:
        here = before
    if here:
        yield here
    for triple in shapes.of(shape) if depth else ():
        if triple.predicate in _NESTING:
            for inner in shapes.members(triple.object):
                yield from walks(shapes, inner, here, depth - 1)


_NESTING: Final = _SHAPES | {SH["xone"], SH["qualifiedValueShape"]}
