"""Lists: the entities of a kind, narrowed by facets and words, a page at a time.

The address of a list is its whole state. The index says what is on it, how many meet
each facet and in what order; the store says what a row tells beside the name. What the
index finds, a stored query finds too: it is the query shown on the page.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, cast

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import DASH, DCT, SKOS, THC, XSD, A, Term, text_in
from thc_graph.schema.model import NodeShape, PropertyShape, Schema, Text
from thc_graph.store.index import Index
from thc_graph.store.queries import Filling, Reader

SIZE: Final = 50  # rows of a page
SHOWN: Final = 12  # values of a facet shown before one asks for all
MAX_FILTERS: Final = 50  # values read from an address
MOST: Final = 100_000  # entities of an export
TOLD: Final = ("DescriptionRole", "IDRole", "KeyInfoRole")  # what a row says beside the name
VOCABULARIES: Final = "voc"  # the list of the concept schemes
BY_NAME: Final = "nom"
ORDERS: Final = {  # what the address says → field of the index, and whether the largest is first
    BY_NAME: ("order", False),
    "population": ("population", True),
    "date": ("date", True),
}

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


@dataclass(frozen=True)
class Choice:
    """One value of a facet; `token` stands for it in an address."""

    value: Value
    token: str
    label: Literal | None
    count: int
    active: bool


@dataclass(frozen=True)
class Facet:
    """`hidden` counts the values that are not among the choices shown."""

    slug: str
    name: Text
    choices: tuple[Choice, ...]
    hidden: int = 0

    @property
    def active(self) -> tuple[Choice, ...]:
        return tuple(each for each in self.choices if each.active)


@dataclass(frozen=True)
class Fact:
    """One thing a row says beside the name; `label` names the value where it is an IRI."""

    name: str
    role: NamedNode | None
    value: Term
    label: Literal | None


@dataclass(frozen=True)
class Row:
    iri: NamedNode
    label: Literal | None
    summary: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class ListPage:
    """`total` entities were found of `of`; an empty list has one empty page."""

    asked: Asked
    total: int
    of: int
    rows: tuple[Row, ...]
    pages: int
    facets: tuple[Facet, ...]
    orders: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.asked.kind

    @property
    def number(self) -> int:
        return self.asked.number


@dataclass(frozen=True)
class Count:
    kind: str
    name: Text
    total: int


# What an address says


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
    for name, text in list(given)[:MAX_FILTERS]:
        value = value_of(shapes[name], text, base) if name in shapes and text else None
        if value is not None:
            filters[name][value] = None
        elif name in plain:
            plain[name] = text
    number = plain["page"]
    if not (number.isascii() and number.isdecimal()) or plain["tri"] not in orders(schema, classes):
        return None
    chosen = {name: tuple(values) for name, values in filters.items()}
    return Asked(kind, plain["q"].strip(), chosen, plain["tri"], int(number[:9]), plain["tout"])


def value_of(shape: PropertyShape, token: str, base: str) -> Value | None:
    """Return the facet value a token stands for: a year, yes or no, an IRI or its short form."""
    if shape.is_date:
        return Literal(token, datatype=XSD["gYear"])
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


def facets_of(schema: Schema, classes: Iterable[NamedNode]) -> dict[str, PropertyShape]:
    """Return the properties by which a list of these classes is narrowed, by their slugs."""
    found: dict[str, PropertyShape] = {}
    for class_ in classes:
        for shape in schema.facets_of(class_):
            found.setdefault(shape.slug, shape)
    return found


def orders(schema: Schema, classes: Iterable[NamedNode]) -> tuple[str, ...]:
    """Return the orders a list of these classes can have."""
    shapes = [shape for each in classes for shape in schema.properties_of(each)]
    has = {
        "population": any(shape.path and shape.predicate == THC["population"] for shape in shapes),
        "date": any(shape.facet and shape.is_date for shape in shapes),
    }
    return (BY_NAME, *(order for order, there in has.items() if there))


# What is on it


async def page(
    reader: Reader, index: Index, base: str, asked: Asked, language: str = "fr", size: int = SIZE
) -> ListPage | None:
    """Return one page of a list, None where there is no such page."""
    if asked.number < 1:
        return None
    found = await reader.aside(
        partial(_found, reader.schema, index, asked, spoken=(base, language), size=size)
    )
    if asked.number > found.pages:
        return None
    classes = classes_of(reader.schema, asked.kind)
    return replace(found, rows=tuple(await _summaries(reader, classes, found.rows, language)))


def _found(
    schema: Schema, index: Index, asked: Asked, *, spoken: tuple[str, str], size: int
) -> ListPage:
    """Return what the index says of a page: all but what its rows tell."""
    base, language = spoken
    total, iris = select(index, asked, language, (asked.number - 1) * size, size)
    pages = max(1, -(-total // size))
    of, _ = index.select(index.listed(asked.kind, (), {}), _field(asked, language)[0], 0, 1)
    facets = _facets(schema, index, base, asked, language)
    labels = index.labels(iris, language)
    rows = tuple(Row(NamedNode(iri), labels.get(iri)) for iri in iris)
    return ListPage(
        asked, total, of, rows, pages, facets, orders(schema, classes_of(schema, asked.kind))
    )


def select(
    index: Index, asked: Asked, language: str, offset: int = 0, limit: int = MOST
) -> tuple[int, list[str]]:
    """Return how many entities a list has, and the IRIs of some, in its order."""
    name, descending = _field(asked, language)
    query = _narrowed(index, asked, asked.filters)
    return index.select(query, name, offset, limit, descending=descending)


def _field(asked: Asked, language: str) -> tuple[str, bool]:
    name, descending = ORDERS[asked.order]
    return (f"{name}_{language}" if asked.order == BY_NAME else name), descending


def _narrowed(index: Index, asked: Asked, filters: Mapping[str, Iterable[Value]]) -> Any:
    written = {slug: [str(value) for value in values] for slug, values in filters.items()}
    return index.listed(asked.kind, index.words(asked.text), written)


def _facets(
    schema: Schema, index: Index, base: str, asked: Asked, language: str
) -> tuple[Facet, ...]:
    """Return the facets: each counts what its values would find beside the other filters."""
    shapes = facets_of(schema, classes_of(schema, asked.kind))
    together = _by_facet(index.counts(_narrowed(index, asked, asked.filters)))
    found = []
    for slug, shape in shapes.items():
        counts = together.get(slug, {})
        if slug in asked.filters:
            others = {name: each for name, each in asked.filters.items() if name != slug}
            counts = _by_facet(index.counts(_narrowed(index, asked, others))).get(slug, {})
        facet = _facet(index, shape, counts, asked, (base, language))
        if len(facet.choices) > 1 or facet.active:
            found.append(facet)
    return tuple(found)


def _by_facet(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for written, count in counts.items():
        slug, _, value = written.partition(" ")
        found[slug][value] = count
    return found


def _facet(
    index: Index,
    shape: PropertyShape,
    counts: Mapping[str, int],
    asked: Asked,
    spoken: tuple[str, str],
) -> Facet:
    base, language = spoken
    active = {str(value) for value in asked.filters.get(shape.slug, ())}
    # A year is looked for among years; everything else, among what there is most of.
    ranked = (
        sorted(counts, reverse=True)
        if shape.is_date
        else sorted(counts, key=counts.__getitem__, reverse=True)
    )
    shown = ranked if asked.opened == shape.slug else ranked[:SHOWN]
    written = dict.fromkeys([*shown, *sorted(active)])
    values = {each: term_of(each) for each in written}
    labels = index.labels([v.value for v in values.values() if isinstance(v, NamedNode)], language)
    choices = [
        Choice(
            value,
            token_of(shape, value, base),
            labels.get(value.value) if isinstance(value, NamedNode) else None,
            counts.get(each, 0),
            each in active,
        )
        for each, value in values.items()
    ]
    return Facet(shape.slug, shape.name, tuple(choices), len(ranked) - len(shown))


def term_of(written: str) -> Value:
    """Return the term that SPARQL writes so; only what this program wrote is read back."""
    if written.startswith("<"):
        return NamedNode(written[1:-1])
    text, _, datatype = written.rpartition("^^")
    return (
        Literal(text.strip('"'), datatype=NamedNode(datatype[1:-1]))
        if text
        else Literal(written.strip('"'))
    )


def query_of(reader: Reader, index: Index, asked: Asked) -> str:
    """Return the SPARQL query whose entities are those of the list, all pages together."""
    classes = classes_of(reader.schema, asked.kind)
    told: dict[str, Filling] = {
        "class": classes,
        "says": reader.schema.texts,
        "pattern": [Literal(each) for each in index.patterns(asked.text)],
    }
    if not asked.filters:
        return reader.library.fill("list/entities", **told)
    shapes = facets_of(reader.schema, classes)
    rows = [
        (
            Literal(slug),
            shapes[slug].predicate,
            shapes[slug].facet_along or THC["facetAlong"],
            value,
        )
        for slug, values in asked.filters.items()
        for value in values
    ]
    return reader.library.fill(
        "list/narrowed",
        **told,
        facet=rows,
        facets=Literal(str(len(asked.filters)), datatype=XSD["integer"]),
    )


# Kinds and their classes


async def counts(reader: Reader) -> tuple[Count, ...]:
    """Return how many entities there are of each kind that has a list, in the schema's order."""
    return await reader.once("counts", partial(_counts, reader))


async def _counts(reader: Reader) -> tuple[Count, ...]:
    found = []
    for shape in reader.schema.listed():
        kind = shape.kind or ""
        classes = classes_of(reader.schema, kind)
        rows = await reader.bindings("list/count", **{"class": classes})
        total = cast("Literal", rows[0]["count"])
        found.append(Count(kind, shape.name, int(total.value)))
    return tuple(found)


def classes_of(schema: Schema, kind: str) -> tuple[NamedNode, ...]:
    """Return the classes whose entities are listed under a kind."""
    if kind == VOCABULARIES:
        return (SKOS["ConceptScheme"],)
    return tuple(iri for iri in _known(schema) if schema.kind_of(iri) == kind)


def shape_of(schema: Schema, kind: str) -> NodeShape | None:
    """Return the shape whose names head a kind's list."""
    return next((shape for shape in schema.listed() if shape.kind == kind), None)


def _known(schema: Schema) -> list[NamedNode]:
    targets = (shape.target for shape in schema.shapes.values())
    return list(dict.fromkeys([*schema.classes, *(each for each in targets if each)]))


# What a row tells


async def _summaries(
    reader: Reader, classes: Sequence[NamedNode], rows: Sequence[Row], language: str
) -> Iterable[Row]:
    told = _told(reader.schema, classes)
    if not rows or not told:
        return rows
    found: dict[tuple[Term, Term], dict[Term, list[Literal]]] = defaultdict(dict)
    entities = [row.iri for row in rows]
    for row in await reader.bindings("list/summaries", entity=entities, property=list(told)):
        labels = found[row["entity"], row["property"]].setdefault(row["value"], [])
        labels.extend(each for each in (row.get("label"),) if isinstance(each, Literal))

    def facts(iri: NamedNode) -> Iterable[Fact]:
        for predicate, shape in told.items():
            values = found.get((iri, predicate), {})
            for value in _spoken(values, language):
                name = shape.name.in_(language)
                yield Fact(name, shape.role, value, text_in(values[value], language))

    return [Row(row.iri, row.label, tuple(facts(row.iri))) for row in rows]


def _spoken(values: Iterable[Term], language: str) -> list[Term]:
    """Return the values, of a text only the one best read in this language."""
    texts = [each for each in values if isinstance(each, Literal) and each.language]
    others = [each for each in values if each not in texts]
    best = text_in(texts, language)
    return sorted([*others, *([best] if best else [])], key=str)


def _told(schema: Schema, classes: Sequence[NamedNode]) -> dict[NamedNode, PropertyShape]:
    shapes = (shape for iri in classes for shape in schema.properties_of(iri))
    roles = {DASH[role] for role in TOLD}
    found: dict[NamedNode, PropertyShape] = {}
    for shape in shapes:
        told = shape.role in roles and shape.predicate != A  # the list itself says the class
        if told and len(shape.path) == 1 and not shape.path[0].inverse:
            found.setdefault(shape.predicate, shape)
    if classes == (SKOS["ConceptScheme"],):
        found[DCT["description"]] = _DESCRIPTION
    return found


_DESCRIPTION = PropertyShape(iri=DCT["description"], path=(), role=DASH["DescriptionRole"])
