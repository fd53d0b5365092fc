"""Differences: a change as a person reads it: records, properties by name, before → after.

`store` may be the state before the change or the one after it: names are looked for
in the change first, then there, and a record was there before if a class of it was.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import DCT, LABELS, XSD, A, Term, text_in
from thc_graph.schema.model import Schema

NAMING = (*LABELS, DCT["title"])
NONE = "—"  # where a property had no value, or has none any more
CALLED = (DCT["identifier"],)  # said before the name: MUL-02


class Kind(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class Fact:
    """A property's values that go, and those that come, in words."""

    property: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def __str__(self) -> str:
        before, after = (", ".join(side) or NONE for side in (self.before, self.after))
        return f"{self.property}   {before} → {after}"


@dataclass(frozen=True)
class Difference:
    """What changes for one record."""

    iri: str
    label: str
    kind: Kind
    facts: tuple[Fact, ...]

    def as_dict(self) -> dict[str, Any]:
        facts = [{"property": f.property, "before": f.before, "after": f.after} for f in self.facts]
        return {"iri": self.iri, "label": self.label, "kind": self.kind.value, "facts": facts}


def differences(
    change: ChangeSet, store: Store, schema: Schema, language: str
) -> Iterator[Difference]:
    """Yield what changes, record by record in the order of their IRIs; lazily, for large ones."""
    view = _View(change.facts(), store, schema, language)
    for subject in sorted(view.subjects, key=lambda node: node.value):
        found = view.difference(subject)
        if found.facts:
            yield found


Values = dict[NamedNode, dict[NamedNode, set[Term]]]


class _View:
    def __init__(self, change: ChangeSet, store: Store, schema: Schema, language: str) -> None:
        self.store, self.schema, self.language = store, schema, language
        self.removed, self.added = _values(change.removed), _values(change.added)
        self.subjects = self.removed.keys() | self.added.keys()
        self._labels: dict[NamedNode, str] = {}

    def difference(self, subject: NamedNode) -> Difference:
        stood = self._stored(subject, A)
        gone, come = (side.get(subject, {}).get(A, set()) for side in (self.removed, self.added))
        before, after = (stood - come) | gone, (stood | come) - (gone - come)
        kind = Kind.CHANGED if before and after else Kind.ADDED if after else Kind.REMOVED
        if not before and not after:
            kind = Kind.CHANGED
        facts = self._facts(subject, [c for c in (*after, *before) if isinstance(c, NamedNode)])
        return Difference(subject.value, self._called(subject), kind, tuple(facts))

    def _facts(self, subject: NamedNode, classes: Iterable[NamedNode]) -> Iterator[Fact]:
        names = {
            shape.predicate: (place, shape.name.in_(self.language))
            for class_ in classes
            for place, shape in enumerate(self.schema.properties_of(class_))
            if len(shape.path) == 1 and not shape.path[0].inverse
        }
        removed, added = self.removed.get(subject, {}), self.added.get(subject, {})
        for each in sorted(removed.keys() | added.keys(), key=lambda p: names.get(p, (99, str(p)))):
            old, new = removed.get(each, set()), added.get(each, set())
            if old != new:  # else it only moved from a graph to another
                name = names[each][1] if each in names else self.word(each)
                yield Fact(name, self._words(old - new), self._words(new - old))

    def _words(self, values: Iterable[Term]) -> tuple[str, ...]:
        return tuple(sorted(map(self.word, values)))

    def word(self, term: Term) -> str:
        """Return a value as a person writes it."""
        if isinstance(term, NamedNode):
            return self._label(term) or _short(term)
        return _written(term, self.language) if isinstance(term, Literal) else str(term)

    def _called(self, subject: NamedNode) -> str:
        label = self._label(subject) or _short(subject)
        codes = {str(getattr(code, "value", "")) for p in CALLED for code in self._all(subject, p)}
        return " ".join([*sorted(codes - {"", label}), label])

    def _label(self, node: NamedNode) -> str:
        if node not in self._labels:
            found = (term for naming in NAMING for term in self._all(node, naming))
            text = text_in((t for t in found if isinstance(t, Literal)), self.language)
            self._labels[node] = text.value if text else ""
        return self._labels[node]

    def _all(self, node: NamedNode, predicate: NamedNode) -> set[Term]:
        """Return what is said of a node after the change, or before it where that was the last."""
        come = self.added.get(node, {}).get(predicate, set())
        return (
            come
            or self._stored(node, predicate)
            or self.removed.get(node, {}).get(predicate, set())
        )

    def _stored(self, node: NamedNode, predicate: NamedNode) -> set[Term]:
        found = self.store.quads_for_pattern(node, predicate, None, DefaultGraph())
        return {quad.object for quad in found}


def _values(quads: Iterable[Quad]) -> Values:
    found: Values = defaultdict(lambda: defaultdict(set))
    for quad in quads:
        if isinstance(quad.subject, NamedNode):
            found[quad.subject][quad.predicate].add(quad.object)
    return found


def _written(text: Literal, language: str) -> str:
    value = text.value
    if text.datatype == XSD["boolean"]:
        words = ("yes", "no") if language == "en" else ("oui", "non")
        return words[value not in ("true", "1")]
    if language == "fr" and text.datatype == XSD["decimal"]:
        return value.replace(".", ",")
    if language == "fr" and text.datatype in (XSD["date"], XSD["gYearMonth"]):
        return "/".join(reversed(value.split("-")))
    return value


def _short(node: NamedNode) -> str:
    """Return the part of an IRI that people recognise: mulhouse/01 or siteWeb."""
    _, hash_, name = node.value.partition("#")
    return name if hash_ else node.value.partition("/id/")[2] or node.value
