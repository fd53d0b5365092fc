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
from operator import ge, le
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import DASH, RDF, RDFS, SH, SKOS, THC, XSD, A, Term

Objects = Callable[[Term, NamedNode], Iterable[Term]]
"""Gives the values of a property of a node."""


_NIL, _FIRST, _REST, _PATH = RDF["nil"], RDF["first"], RDF["rest"], SH["path"]


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
        if node == _NIL:
            return []
        facts = {triple.predicate: triple.object for triple in self.of(node)}
        if _FIRST not in facts:
            return [node]
        return [facts[_FIRST], *self.members(facts[_REST])]

    def path(self, shape: Term) -> tuple[NamedNode, ...]:
        """Return the predicates of a shape's path, empty for a node shape.

        Raises:
            Unsupported: The path is neither a predicate nor a sequence of them.
        """
        for triple in self.of(shape):
            if triple.predicate == _PATH:
                steps = self.members(triple.object)
                if not all(isinstance(step, NamedNode) for step in steps):
                    raise Unsupported
                return tuple(step for step in steps if isinstance(step, NamedNode))
        return ()


Check = Callable[[list[Term]], bool]
"""Says whether the values that a shape reaches satisfy one of its constraints."""


class Conformance:
    """Checks nodes against shapes, each shape read once.

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
        self._read: dict[Term, tuple[tuple[NamedNode, ...], list[Check]]] = {}

    def holds(self, node: Term, shape: Term) -> bool:
        """Say whether a node plainly conforms to a shape.

        Raises:
            Unsupported: Only the reference engine can say.
        """
        found = self._read.get(shape)
        if found is None:
            checks = [self._check(t, shape) for t in self.shapes.of(shape) if not _is_about(t)]
            found = self._read[shape] = self.shapes.path(shape), checks
        path, checks = found
        values = self._reached(node, path)
        return all(check(values) for check in checks)

    def _reached(self, node: Term, path: tuple[NamedNode, ...]) -> list[Term]:
        if len(path) == 1:
            return list(self.objects(node, path[0]))
        reached = {node}
        for predicate in path:
            reached = {value for each in reached for value in self.objects(each, predicate)}
        return list(reached)

    def _check(self, constraint: Triple, shape: Term) -> Check:
        kind, wanted = constraint.predicate, constraint.object
        try:
            if kind in _OF_ALL:
                return _OF_ALL[kind](wanted)
            if kind == _IN:
                return set(self.shapes.members(wanted)).issuperset
            if kind == _QUALIFIED:
                return self._counted(wanted, shape)
            return _each(self._of_each(kind, wanted))
        except Unsupported:
            return _unsupported

    def _of_each(self, kind: NamedNode, wanted: Term) -> Callable[[Term], bool]:
        if kind in _OF_EACH:
            return _OF_EACH[kind](wanted)
        if kind in _SHAPES:
            return self._shapes(kind, wanted)
        if kind == _CLASS and isinstance(wanted, NamedNode):
            return self._instance(wanted)
        raise Unsupported

    def _shapes(self, kind: NamedNode, wanted: Term) -> Callable[[Term], bool]:
        if kind in _NODE:
            return lambda value: self.holds(value, wanted)
        if kind == _NOT:
            return lambda value: not self.holds(value, wanted)
        members, enough = self.shapes.members(wanted), all if kind == _AND else any
        return lambda value: enough([self.holds(value, member) for member in members])

    def _instance(self, wanted: NamedNode) -> Callable[[Term], bool]:
        allowed = set(self.descendants(wanted))
        return lambda value: not allowed.isdisjoint(self.objects(value, A))

    def _counted(self, wanted: Term, shape: Term) -> Check:
        bounds = {triple.predicate: _number(triple.object) for triple in self._bounds(shape)}
        least, most = bounds.get(_LEAST, Decimal(0)), bounds.get(_MOST, Decimal("Infinity"))
        return lambda values: least <= sum(self.holds(each, wanted) for each in values) <= most

    def _bounds(self, shape: Term) -> Iterator[Triple]:
        yield from (each for each in self.shapes.of(shape) if each.predicate in (_LEAST, _MOST))


def _each(holds: Callable[[Term], bool]) -> Check:
    return lambda values: all(map(holds, values))


def _unsupported(values: list[Term]) -> bool:
    del values
    raise Unsupported


def _is_about(fact: Triple) -> bool:
    """Say whether a triple of a shape says something about it, and constrains nothing."""
    kind = fact.predicate
    return kind in _ABOUT or kind.value.startswith((THC, DASH, RDFS, SKOS))


def _number(term: Term) -> Decimal:
    if not isinstance(term, Literal) or term.datatype not in _NUMBERS:
        raise Unsupported
    return Decimal(term.value)


def _text(value: Term) -> str:
    if isinstance(value, Literal | NamedNode):
        return value.value
    raise Unsupported


def _compared(
    measure: Callable[[Any], Any], holds: Callable[[Any, Any], bool]
) -> Callable[[Term], Callable[[Any], bool]]:
    """Return a maker of checks that compare what is measured with the number wanted."""

    def make(wanted: Term) -> Callable[[Any], bool]:
        limit = _number(wanted)
        return lambda measured: holds(measure(measured), limit)

    return make


def _length(value: Term) -> int:
    return len(_text(value))


def _datatype(wanted: Term) -> Callable[[Term], bool]:
    is_lexical = _LEXICAL.get(wanted)

    def holds(value: Term) -> bool:
        if not isinstance(value, Literal) or value.datatype != wanted:
            return False
        if is_lexical is None:
            raise Unsupported
        return is_lexical(value.value)

    return holds


def _kind(wanted: Term) -> Callable[[Term], bool]:
    if wanted not in _KINDS:
        raise Unsupported
    return lambda value: isinstance(value, _KINDS[wanted])


def _pattern(wanted: Term) -> Callable[[Term], bool]:
    search = re.compile(_text(wanted)).search
    return lambda value: search(_text(value)) is not None


def _one_text_a_language(wanted: Term) -> Check:
    if _text(wanted) != "true":
        return lambda _: True

    def holds(values: list[Term]) -> bool:
        languages = [v.language for v in values if isinstance(v, Literal) and v.language]
        return len(languages) == len(set(languages))

    return holds


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _matches(pattern: str) -> Callable[[str], bool]:
    match = re.compile(pattern).fullmatch
    return lambda text: match(text) is not None


_DATE: Final = _matches(r"\d{4}-\d{2}-\d{2}")
_NUMBERS: Final = (XSD["integer"], XSD["decimal"])
_KINDS: Final[dict[Term, type]] = {SH["IRI"]: NamedNode, SH["Literal"]: Literal}
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
_OF_ALL: Final[dict[NamedNode, Callable[[Term], Check]]] = {
    SH["minCount"]: _compared(len, ge),
    SH["maxCount"]: _compared(len, le),
    SH["hasValue"]: lambda wanted: lambda values: wanted in values,
    SH["uniqueLang"]: _one_text_a_language,
}
_OF_EACH: Final[dict[NamedNode, Callable[[Term], Callable[[Term], bool]]]] = {
    SH["datatype"]: _datatype,
    SH["nodeKind"]: _kind,
    SH["pattern"]: _pattern,
    SH["minLength"]: _compared(_length, ge),
    SH["maxLength"]: _compared(_length, le),
    SH["minInclusive"]: _compared(_number, ge),
    SH["maxInclusive"]: _compared(_number, le),
}
_CLASS, _IN, _NOT, _AND = SH["class"], SH["in"], SH["not"], SH["and"]
_QUALIFIED, _LEAST, _MOST = (
    SH[name] for name in ("qualifiedValueShape", "qualifiedMinCount", "qualifiedMaxCount")
)
_NODE: Final = frozenset((SH["node"], SH["property"]))
_SHAPES: Final = _NODE | {_NOT, _AND, SH["or"]}
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


_NESTING: Final = _SHAPES | {SH["xone"], _QUALIFIED}
