"""What ontology and shapes say, as values: classes, shapes, sheets.

A class is its ontology lines and its shape file; sheet columns, messages, page
order and labels are all read from here, so that adding a class changes no Python.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.rdf.terms import DASH, DCT, LABELS, RDF, SH, SKOS, XSD, Term

DATES = frozenset(XSD[name] for name in ("date", "gYearMonth", "gYear"))
TEXTS = frozenset((XSD["string"], RDF["langString"]))
# What names and explains things that no shape is for: concepts, schemes, the ontology.
NAMING = (*LABELS, DCT["title"], SKOS["altLabel"], SKOS["hiddenLabel"], SKOS["definition"])


@dataclass(frozen=True)
class Text:
    """A sentence in both languages of the service; English falls back on French."""

    fr: str = ""
    en: str = ""

    def in_(self, language: str) -> str:
        return (self.en or self.fr) if language == "en" else (self.fr or self.en)


@dataclass(frozen=True)
class Step:
    """One step of a property path (SHACL, section 2.3.1)."""

    predicate: NamedNode
    inverse: bool = False


@dataclass(frozen=True)
class PropertyShape:
    """One property of a class: its constraints, its column and its line on the page."""

    iri: NamedNode
    path: tuple[Step, ...]
    name: Text = Text()
    description: Text = Text()
    message: Text = Text()  # what is wrong and what to do, with an example
    datatypes: tuple[NamedNode, ...] = ()
    classes: tuple[NamedNode, ...] = ()  # a value is of one of them
    scheme: NamedNode | None = None  # a value is a concept of it
    choices: tuple[NamedNode, ...] = ()  # sh:in
    is_iri: bool = False
    pattern: str | None = None
    minimum: float | None = None  # both bounds are among the values allowed
    maximum: float | None = None
    min_length: int = 0  # of a code: digits that lost leading zeros are completed to it
    min_count: int = 0
    max_count: int | None = None
    is_required: bool = False  # one value at least: sh:minCount, sh:hasValue, sh:qualifiedMinCount
    unique_language: bool = False  # one text a language
    checks: NamedNode | None = None  # no line of its own: a fault shows in this property's cell
    severity: NamedNode = SH["Violation"]
    group: NamedNode | None = None
    order: float = 0
    role: NamedNode | None = None
    in_sheets: bool = True
    variants: tuple[str, ...] = ()  # other headings coordinators write
    value_template: str | None = None  # "https://…/{}": a cell holds what stands for {}
    default: NamedNode | Literal | None = None
    default_cell: str | None = None
    synonyms: Mapping[str, str] = field(default_factory=dict)  # what is typed → what is read
    each_value: bool = False  # a row makes one entity for each value of the cell
    key_with_kind: bool = False
    comma_separates: bool = False
    format: str | None = None  # how its cells are typed: insee, siren, percent, degrees
    ends: tuple[NamedNode, ...] = ()  # the properties that take the end of a period typed here
    read_in: NamedNode | None = None  # without a column of its own, a date inside this one
    inverse_link: NamedNode | None = None  # filled on the other side by the same cell
    facet: bool = False  # lists can be narrowed by it
    facet_along: NamedNode | None = None  # … and by what a value reaches through this property

    @property
    def slug(self) -> str:
        """The name of the property in the address of a list."""
        return self.iri.value.rpartition("-")[2]

    @property
    def is_date(self) -> bool:
        return bool(self.datatypes) and set(self.datatypes) <= DATES

    def facet_value(self, value: Term) -> NamedNode | Literal | None:
        """Return what a list is narrowed by to find this value: of a date, its year."""
        if isinstance(value, Literal):
            year = self.is_date and value.datatype in DATES
            return Literal(value.value[:4], datatype=XSD["gYear"]) if year else value
        if isinstance(value, NamedNode) and value.value.startswith(self._space):
            return value
        return None

    @property
    def _space(self) -> str:
        return self.scheme.value if self.scheme else ""

    @property
    def predicate(self) -> NamedNode:
        """The property a cell fills; only a path of one step can be filled."""
        return self.path[0].predicate

    @property
    def is_column(self) -> bool:
        return self.in_sheets and bool(self.name.fr) and len(self.path) == 1

    @property
    def is_recommendation(self) -> bool:
        """Whether it only warns that what another line of the page tells is not given."""
        return self.checks is not None and self.severity == SH["Warning"] and self.is_required

    @property
    def is_multiple(self) -> bool:
        return not self.unique_language and (self.max_count is None or self.max_count > 1)


@dataclass(frozen=True)
class NodeShape:
    """What good data of one class is; `kind` and `key` say how its entities are named."""

    iri: NamedNode
    target: NamedNode | None
    target_subjects_of: NamedNode | None = None
    name: Text = Text()
    description: Text = Text()
    kind: str | None = None
    key: tuple[NamedNode, ...] = ()
    fallback_key: tuple[NamedNode, ...] = ()
    namespace: str | None = None
    properties: tuple[PropertyShape, ...] = ()


@dataclass(frozen=True)
class Part:
    """A second entity made by the same row, and the property that links it to the first."""

    shape: NamedNode
    link: NamedNode
    inverse_link: NamedNode | None = None
    order: float = 0  # a part may refer to parts of a lower order


@dataclass(frozen=True)
class Sheet:
    """A table coordinators fill: one row is one entity, with its parts."""

    iri: NamedNode
    slug: str
    label: Text
    description: Text
    row: NamedNode
    parts: tuple[Part, ...] = ()
    order: float = 0  # a sheet refers to sheets of a lower order


@dataclass(frozen=True)
class Class:
    iri: NamedNode
    label: Text
    definition: Text
    parents: tuple[NamedNode, ...] = ()
    variants: tuple[str, ...] = ()  # other words for it, in sheets


@dataclass(frozen=True)
class Group:
    iri: NamedNode
    label: Text
    order: float


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
