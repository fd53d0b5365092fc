"""Addresses: what the address of a list asks for, and what stands there for a value."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import Literal, NamedNode

from thc_graph import quantities
from thc_graph.lists.kinds import BY_NAME, classes_of, facets_of, orders
from thc_graph.rdf.terms import THC, XSD
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape

MAX_FILTERS: Final = 50  # values of facets read from an address; those after them narrow nothing

Value = NamedNode | Literal


@dataclass(frozen=True)
class Asked:
    """What an address asks of a list; `number` counts from 1."""

    kind: str
    text: str = ""
    filters: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    order: str = BY_NAME
    number: int = 1
    opened: str = ""  # the facet whose values are all shown


def read(schema: Schema, base: str, kind: str, given: Iterable[tuple[str, str]]) -> Asked | None:
    """Return what an address asks for, None where there is no such kind, page or order.

    Parameters that no facet of the kind has are not read; they may mean something to others.
    """
    classes = classes_of(schema, kind)
    if not classes:
        return None
    shapes = facets_of(schema, classes)
    plain = {"q": "", "tri": BY_NAME, "page": "1", "tout": ""}
    filters: dict[str, dict[Value, None]] = defaultdict(dict)
    narrowing: list[tuple[str, Value | None]] = []
    for name, text in given:
        if name in shapes and text and len(narrowing) < MAX_FILTERS:
            narrowing.append((name, value_of(shapes[name], text, base)))
        if name in plain:
            plain[name] = text
    for name, value in narrowing:
        if value is not None:
            filters[name][value] = None
    page = quantities.page(plain["page"])
    if page is None or plain["tri"] not in orders(schema, classes):
        return None
    chosen = {name: tuple(values) for name, values in filters.items()}
    return Asked(kind, plain["q"].strip(), chosen, plain["tri"], page, plain["tout"])


def value_of(shape: PropertyShape, token: str, base: str) -> Value | None:
    """Return the facet value a token stands for: a year, yes or no, an IRI or its short form."""
    if shape.is_date:
        return Literal(token, datatype=XSD["gYear"])  # what is no year is that of nothing
    if shape.datatypes:
        return Literal(token, datatype=shape.datatypes[0])
    space = shape.scheme.value if shape.scheme else f"{base}/id/" if "/" in token else THC
    try:
        return NamedNode(token if "://" in token else f"{space}{token}")
    except ValueError:
        return None


def token_of(shape: PropertyShape, value: Value, base: str) -> str:
    """Return what stands for a facet value in an address."""
    spaces = (shape.scheme.value if shape.scheme else f"{base}/id/", THC)
    for space in () if isinstance(value, Literal) else spaces:
        token = value.value.removeprefix(space)
        if value_of(shape, token, base) == value:
            return token
    return value.value
