"""The page of an entity, as values: what templates are given."""

from dataclasses import dataclass
from functools import cached_property

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import DASH, Term
from thc_graph.schema.shapes import PropertyShape


@dataclass(frozen=True)
class Value:
    """A term, and the name of what it stands for where that is known."""

    term: Term
    label: Literal | None = None


@dataclass(frozen=True)
class Field:
    """A property and its values; `name` is empty where neither shapes nor data name it."""

    property: NamedNode
    name: str
    help: str
    values: tuple[Value, ...]
    role: NamedNode | None = None


@dataclass(frozen=True)
class FieldGroup:
    id: str
    label: str  # empty for the facts that no shape names
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Citation:
    """Entities of one kind that point here through one property: how many, and which if few."""

    property: NamedNode
    name: str
    kind: str
    count: int
    named: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Entity:
    iri: NamedNode
    label: Literal | None
    classes: tuple[Value, ...]
    groups: tuple[FieldGroup, ...]
    companions: tuple["Entity", ...] = ()
    incoming: tuple[Citation, ...] = ()
    missing: tuple[PropertyShape, ...] = ()  # what the shapes recommend and nobody has given

    @property
    def name(self) -> str:
        """The name as plain text; empty where it has none."""
        return self.label.value if self.label else ""

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(each for group in self.groups for each in group.fields)

    def with_role(self, role: str) -> tuple[Field, ...]:
        """Return the fields that play a DASH role, such as "KeyInfoRole"."""
        return tuple(each for each in self.fields if each.role == DASH[role])

    def values(self, property_: NamedNode) -> tuple[Value, ...]:
        """Return the values of a property, wherever they stand on the page."""
        found = (each.values for each in self.fields if each.property == property_)
        return tuple(value for values in found for value in values)

    def is_a(self, class_: NamedNode) -> bool:
        return any(each.term == class_ for each in self.classes)
