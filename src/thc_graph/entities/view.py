"""A view: facts seen through the schema by a reader of one language."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.entities.model import Entity, Field, FieldGroup, Value
from thc_graph.rdf.terms import DASH, DCT, LABELS, A, Term, text_in
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape, Step

NAMING: Final = (*LABELS, DCT["title"])
KEY_FACT: Final = DASH["KeyInfoRole"]
DESCRIPTION: Final = DASH["DescriptionRole"]

Facts = Mapping[Term, Mapping[NamedNode, list[Term]]]


def index(facts: Iterable[Triple]) -> Facts:
    found: dict[Term, dict[NamedNode, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for triple in set(facts):
        found[triple.subject][triple.predicate].append(triple.object)
    return found


@dataclass(frozen=True)
class View:
    """Facts, seen through the schema by a reader of one language."""

    schema: Schema
    facts: Facts
    language: str
    _none: Mapping[NamedNode, list[Term]] = field(default_factory=dict)

    def of(self, node: Term) -> Mapping[NamedNode, list[Term]]:
        return self.facts.get(node, self._none)

    def label(self, node: Term) -> Literal | None:
        texts = (text for naming in NAMING for text in self.of(node).get(naming, ()))
        return text_in((text for text in texts if isinstance(text, Literal)), self.language)

    def value(self, term: Term) -> Value:
        return Value(term, self.label(term) if isinstance(term, NamedNode) else None)

    def entity(self, iri: NamedNode) -> Entity:
        classes = self.classes(iri)
        shapes = {s.iri: s for each in classes for s in self.schema.properties_of(each)}
        hidden = {(A, each) for each in self.of(iri).get(A, ())}
        label = self.label(iri)
        hidden |= {(naming, label) for naming in NAMING if label is not None}
        fields = list(self.fields(iri, list(shapes.values()), hidden))
        return Entity(
            iri=iri,
            label=label,
            classes=tuple(self.class_(each) for each in classes),
            groups=tuple(self.groups(fields)),
            missing=tuple(self.missing(iri, shapes.values())),
        )

    def record(self, iri: NamedNode) -> Iterator[Field]:
        """Yield what is said of an entity itself, as the page orders it, and nothing hidden."""
        shapes = {s.iri: s for each in self.classes(iri) for s in self.schema.properties_of(each)}
        for _, each in self.fields(iri, list(shapes.values()), set()):
            said = self.of(iri).get(each.property, ())
            values = tuple(value for value in each.values if value.term in said)
            if values:
                yield replace(each, values=values)

    def missing(self, iri: NamedNode, shapes: Iterable[PropertyShape]) -> Iterator[PropertyShape]:
        """Yield the lines of the page that the shapes recommend and that nobody has filled.

        A shape recommends what it warns of (sh:Warning with sh:minCount), the key facts and
        the description.
        """
        lines = sorted(shapes, key=self._order)
        asked = {each.checks for each in self.warnings(iri)}
        told = {each.role for each in lines if any(self.walk(iri, each.path))}
        recommended = {KEY_FACT, *({DESCRIPTION} - told)}  # one description is enough
        for shape in lines:
            wanted = shape.iri in asked or shape.role in recommended
            if wanted and shape.in_sheets and not any(self.walk(iri, shape.path)):
                yield shape

    def warnings(self, iri: NamedNode) -> Iterator[PropertyShape]:
        """Yield the property shapes whose absence is worth a warning, not a refusal."""
        for class_ in self.classes(iri):
            for shape in self.schema.shapes_of(class_):
                yield from (each for each in shape.properties if each.is_recommendation)

    def classes(self, iri: NamedNode) -> list[NamedNode]:
        """Return the classes of an entity, without those that another one implies."""
        types = [each for each in self.of(iri).get(A, ()) if isinstance(each, NamedNode)]
        implied = {above for each in types for above in self.schema.ancestors(each)[1:]}
        return sorted((each for each in types if each not in implied), key=self._place)

    def _place(self, class_: NamedNode) -> tuple[bool, str]:
        return self.schema.naming(class_) is None, class_.value

    def class_(self, iri: NamedNode) -> Value:
        known = self.schema.classes.get(iri)
        text = known.label.in_(self.language) if known else ""
        label = Literal(text, language=self.language) if text else self.label(iri)
        return Value(iri, label)

    def fields(
        self, iri: NamedNode, shapes: Sequence[PropertyShape], hidden: set[tuple[NamedNode, Term]]
    ) -> Iterator[tuple[PropertyShape | None, Field]]:
        """Yield each fact once: those the shapes name, in their order, then the others."""
        shown = set(hidden)
        linking = [shape for shape in shapes if shape.value_template]
        for shape in sorted(shapes, key=self._order):
            rivals = [each.value_template for each in linking if each.path == shape.path]
            values = [v for v in self.walk(iri, shape.path) if _is_for(v, shape, rivals)]
            new = [v for v in values if (shape.predicate, v) not in shown]
            if len(shape.path) == 1 and not shape.path[0].inverse:
                shown |= {(shape.predicate, v) for v in new}
            if new:
                yield shape, self.field(shape, new)
        yield from self.others(iri, shown)

    def others(
        self, iri: NamedNode, shown: set[tuple[NamedNode, Term]]
    ) -> Iterator[tuple[None, Field]]:
        for predicate, found in sorted(self.of(iri).items(), key=lambda item: item[0].value):
            left = [value for value in found if (predicate, value) not in shown]
            if left:
                yield None, Field(predicate, self.name(predicate), "", self.values(left))

    def field(self, shape: PropertyShape, found: Iterable[Term]) -> Field:
        name, text = shape.name.in_(self.language), shape.description.in_(self.language)
        return Field(shape.predicate, name, text, self.values(found), shape.role)

    def values(self, found: Iterable[Term]) -> tuple[Value, ...]:
        return tuple(sorted(map(self.value, found), key=self._reading_order))

    def _reading_order(self, value: Value) -> tuple[bool, str]:
        term = value.label or value.term
        foreign = isinstance(term, Literal) and term.language not in (self.language, None)
        return foreign, str(term).casefold()

    def walk(self, start: Term, path: Sequence[Step]) -> Iterator[Term]:
        """Yield the terms at the end of a path."""
        if not path:
            yield start
            return
        for term in self._step(start, path[0]):
            yield from self.walk(term, path[1:])

    def _step(self, start: Term, step: Step) -> Iterable[Term]:
        if not step.inverse:
            return self.of(start).get(step.predicate, ())
        return [s for s, found in self.facts.items() if start in found.get(step.predicate, ())]

    def _order(self, shape: PropertyShape) -> tuple[float, float]:
        return self._group_order(shape.group), shape.order

    def _group_order(self, iri: NamedNode | None) -> float:
        group = self.schema.groups.get(iri) if iri else None
        return group.order if group else 99

    def groups(self, fields: Iterable[tuple[PropertyShape | None, Field]]) -> Iterator[FieldGroup]:
        found: dict[NamedNode | None, list[Field]] = defaultdict(list)
        for shape, each in fields:
            known = shape is not None and shape.group in self.schema.groups
            found[shape.group if shape and known else None].append(each)
        for iri in sorted(found, key=self._group_order):
            group = self.schema.groups[iri] if iri else None
            label = group.label.in_(self.language) if group else ""
            name = iri.value.replace("#", "/").rpartition("/")[2] if iri else "autres"
            yield FieldGroup(name, label, tuple(found[iri]))

    def name(self, predicate: NamedNode) -> str:
        label = self.label(predicate)
        return label.value if label else ""


def _is_for(value: Term, shape: PropertyShape, rivals: Sequence[str | None]) -> bool:
    """Tell whether a value is this shape's, among shapes that share a property.

    `rdfs:seeAlso` is one property and several lines: a link to GeoNames belongs to the
    line whose template it fits, any other to the line without template.
    """
    fits = partial(_fits, value)
    if shape.value_template:
        return fits(shape.value_template)
    return not any(fits(each) for each in rivals if each)


def _fits(value: Term, template: str) -> bool:
    before, _, after = template.partition("{}")
    iri = value.value if isinstance(value, NamedNode) else ""
    return iri.startswith(before) and iri.endswith(after)
