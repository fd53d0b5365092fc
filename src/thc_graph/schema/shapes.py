"""Shapes: what is asked of a class and its properties, as the model says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import RDF, SH, XSD, Term

DATES = frozenset(XSD[name] for name in ("date", "gYearMonth", "gYear"))
TEXTS = frozenset((XSD["string"], RDF["langString"]))


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
