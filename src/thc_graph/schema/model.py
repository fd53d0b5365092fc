"""What ontology and shapes say, as values: classes, shapes, sheets.

A class is its ontology lines and its shape file; sheet columns, messages, page
order and labels are all read from here, so that adding a class changes no Python.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pyoxigraph import NamedNode, Triple

from thc_graph.rdf.terms import DASH, DCT, LABELS, SKOS
from thc_graph.schema.shapes import TEXTS, Class, Group, NodeShape, PropertyShape, Sheet, Step

# What names and explains things that no shape is for: concepts, schemes, the ontology.
NAMING = (*LABELS, DCT["title"], SKOS["altLabel"], SKOS["hiddenLabel"], SKOS["definition"])


@dataclass(frozen=True)
class Schema:
    """Everything read from `ontology/` and `shapes/`; `ontology` and `graph` are their triples."""

    classes: Mapping[NamedNode, Class]
    shapes: Mapping[NamedNode, NodeShape]
    sheets: Mapping[str, Sheet]
    groups: Mapping[NamedNode, Group]
    ontology: tuple[Triple, ...]
    graph: tuple[Triple, ...]

    def ancestors(self, iri: NamedNode) -> tuple[NamedNode, ...]:
        """Return the class, then those above it, nearest first; cycles are cut."""
        known = self._above.get(iri)
        if known is None:
            found: list[NamedNode] = [iri]
            for each in found:
                parents = self.classes[each].parents if each in self.classes else ()
                found.extend(parent for parent in parents if parent not in found)
            known = self._above[iri] = tuple(found)
        return known

    @cached_property
    def _above(self) -> dict[NamedNode, tuple[NamedNode, ...]]:
        return {}

    def descendants(self, iri: NamedNode) -> tuple[NamedNode, ...]:
        """Return the class and all those below it."""
        return self._descendants.get(iri, (iri,))

    @cached_property
    def _descendants(self) -> dict[NamedNode, tuple[NamedNode, ...]]:
        below: dict[NamedNode, list[NamedNode]] = {}
        for each in self.classes:
            for above in self.ancestors(each):
                below.setdefault(above, []).append(each)
        return {above: tuple(found) for above, found in below.items()}

    @cached_property
    def _by_class(self) -> dict[NamedNode, list[NodeShape]]:
        found: dict[NamedNode, list[NodeShape]] = {}
        for shape in self.shapes.values():
            if shape.target is not None:
                found.setdefault(shape.target, []).append(shape)
        return found

    @cached_property
    def by_property(self) -> tuple[tuple[NamedNode, NamedNode], ...]:
        """The shapes for whatever has a property (sh:targetSubjectsOf): (shape, property)."""
        shapes = self.shapes.values()
        return tuple((s.iri, s.target_subjects_of) for s in shapes if s.target_subjects_of)

    def shapes_of(self, iri: NamedNode) -> tuple[NodeShape, ...]:
        """Return the shapes that hold for an entity of this class, the nearest class's first."""
        return tuple(s for each in self.ancestors(iri) for s in self._by_class.get(each, ()))

    def properties_of(self, iri: NamedNode) -> tuple[PropertyShape, ...]:
        """Return the named properties of this class, its own and inherited, in page order."""
        if iri not in self._known:
            self._known[iri] = self._named_properties(iri)
        return self._known[iri]

    @cached_property
    def _known(self) -> dict[NamedNode, tuple[PropertyShape, ...]]:
        return {}

    def _named_properties(self, iri: NamedNode) -> tuple[PropertyShape, ...]:
        found: dict[NamedNode, PropertyShape] = {}
        hidden: set[tuple[Step, ...]] = set()  # a nearer class says it in its own words
        for class_ in self.ancestors(iri):
            shapes = self._by_class.get(class_, ())
            own = [p for s in shapes for p in s.properties if p.name.fr and p.checks is None]
            found.update((each.iri, each) for each in own if each.path not in hidden)
            hidden.update(each.path for each in own)
        return tuple(sorted(found.values(), key=self.place))

    def facets_of(self, iri: NamedNode) -> tuple[PropertyShape, ...]:
        """Return the properties by which a list of this class can be narrowed, in page order."""
        return tuple(each for each in self.properties_of(iri) if each.facet)

    @cached_property
    def texts(self) -> tuple[NamedNode, ...]:
        """The properties that hold texts and codes, in which the words of a list are found."""
        shapes = (each for shape in self.shapes.values() for each in shape.properties)
        held = (
            s.predicate for s in shapes if len(s.path) == 1 and not TEXTS.isdisjoint(s.datatypes)
        )
        return tuple(sorted({*NAMING, *held}, key=str))

    def code_length(self, iri: NamedNode, predicate: NamedNode) -> int:
        """Return how long a code of this class is at least: sh:minLength of its property."""
        key = iri, predicate
        if key not in self._lengths:
            shapes = (each for shape in self.shapes_of(iri) for each in shape.properties)
            lengths = (s.min_length for s in shapes if s.path == (Step(predicate),))
            self._lengths[key] = max(lengths, default=0)
        return self._lengths[key]

    @cached_property
    def _lengths(self) -> dict[tuple[NamedNode, NamedNode], int]:
        return {}

    def has_property(self, shape: NodeShape, property_: NamedNode) -> bool:
        """Say whether entities of a shape's class have this property shape."""
        own = self.properties_of(shape.target) if shape.target else ()
        return any(each.iri == property_ for each in own)

    def place(self, each: PropertyShape) -> tuple[float, float, str]:
        """Return what sorts properties in the order of a page and of a sheet."""
        group = self.groups.get(each.group) if each.group else None
        return (group.order if group else 99, each.order, each.iri.value)

    def naming(self, iri: NamedNode) -> NodeShape | None:
        """Return the nearest shape that says how entities of this class are named."""
        if iri not in self._naming:
            shapes = (s for s in self.shapes_of(iri) if s.kind or s.namespace)
            self._naming[iri] = next(shapes, None)
        return self._naming[iri]

    @cached_property
    def _naming(self) -> dict[NamedNode, NodeShape | None]:
        return {}

    def kind_of(self, iri: NamedNode) -> str | None:
        shape = self.naming(iri)
        return shape.kind if shape else None

    def concrete(self, iri: NamedNode) -> tuple[NamedNode, ...]:
        """Return the classes at or below this one that entities can be of."""
        return tuple(each for each in self.descendants(iri) if self.naming(each))

    def kinds(self, iri: NamedNode) -> tuple[str, ...]:
        """Return the kinds of IRI that entities of this class and below may have."""
        found = (self.kind_of(each) for each in self.descendants(iri))
        return tuple(dict.fromkeys(kind for kind in found if kind))

    def listed(self) -> Iterable[NodeShape]:
        """Return the shapes whose class has a list of its own: one for each kind.

        Where several classes share a kind, that of the class above them all names the list.
        """
        return self.by_kind.values()

    @cached_property
    def by_kind(self) -> Mapping[str, NodeShape]:
        """The shapes that head lists, by the kind of the entities."""
        kinds: dict[str, list[NodeShape]] = {}
        for shape in self.shapes.values():
            if shape.kind and shape.target:
                kinds.setdefault(shape.kind, []).append(shape)
        return {kind: self._together(shapes) for kind, shapes in kinds.items()}

    def _together(self, shapes: list[NodeShape]) -> NodeShape:
        first, *others = [self.ancestors(each.target) for each in shapes if each.target]
        common = (each for each in first if all(each in above for above in others))
        named = (shape for each in common for shape in self._by_class.get(each, ()))
        above = next((shape for shape in named if shape.name.fr), shapes[0])
        return replace(above, kind=shapes[0].kind) if others else shapes[0]

    def property(self, iri: NamedNode) -> PropertyShape:
        return self._properties[iri]

    @cached_property
    def _properties(self) -> dict[NamedNode, PropertyShape]:
        return {each.iri: each for shape in self.shapes.values() for each in shape.properties}

    def with_role(self, iri: NamedNode, role: str) -> tuple[PropertyShape, ...]:
        """Return the properties of a class that play a DASH role, such as "LabelRole"."""
        return tuple(each for each in self.properties_of(iri) if each.role == DASH[role])
