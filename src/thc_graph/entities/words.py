"""Vocabulary: what a class, a property, a concept or a scheme means, and how it is used."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import OWL, RDFS, SKOS, THC, A, Term, text_in
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape, Step
from thc_graph.store.library import Reader

PROPERTIES: Final = (OWL["ObjectProperty"], OWL["DatatypeProperty"])
NAMES: Final = (RDFS["label"], SKOS["prefLabel"])
DEFINITIONS: Final = (SKOS["definition"], RDFS["comment"])


@dataclass(frozen=True)
class Node:
    """A word in a hierarchy; `here` is the one the page is about."""

    iri: NamedNode
    name: str
    definition: str = ""
    here: bool = False
    below: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Use:
    """How many entities, or facts, use a word; `kind` is the list they stand in, if one."""

    count: int
    example: NamedNode | None
    kind: str = ""


@dataclass(frozen=True)
class Rule:
    """A line of a class's shape: what one may say of its entities, and how."""

    shape: PropertyShape
    of: NamedNode | None = None


@dataclass(frozen=True)
class Word:
    tree: tuple[Node, ...] = ()
    use: Use | None = None
    rules: tuple[Rule, ...] = ()


async def word(reader: Reader, iri: NamedNode, types: Iterable[Term], language: str) -> Word:
    """Return what a page tells of a word beside its own facts."""
    kinds = set(types)
    if OWL["Class"] in kinds:
        return await _class(reader, iri, language)
    if kinds & set(PROPERTIES):
        return await _property(reader, iri)
    if SKOS["ConceptScheme"] in kinds:
        return Word(tree=await _scheme(reader, iri, iri, language))
    found = await reader.bindings("vocabulary/scheme-of", concept=iri)
    scheme = cast("NamedNode", found[0]["scheme"]) if found else None
    return Word(tree=await _scheme(reader, scheme, iri, language) if scheme else ())


async def _class(reader: Reader, iri: NamedNode, language: str) -> Word:
    schema = reader.schema
    below = schema.descendants(iri)
    found = await reader.bindings("vocabulary/of-class", **{"class": below})
    use = _use(found, schema.kind_of(iri) or "")
    rules = tuple(Rule(shape) for shape in schema.properties_of(iri))
    return Word(_classes(schema, iri, language), use, rules)


async def _property(reader: Reader, iri: NamedNode) -> Word:
    found = await reader.bindings("vocabulary/of-property", property=iri)
    shapes = (
        Rule(each, shape.target)
        for shape in reader.schema.shapes.values()
        for each in shape.properties
        if each.path == (Step(iri),) and each.name.fr and each.checks is None
    )
    return Word(use=_use(found, ""), rules=tuple(shapes))


def _use(found: Sequence[Mapping[str, Term]], kind: str) -> Use:
    row = found[0]
    example = row.get("example")
    count = int(cast("Literal", row["count"]).value)
    return Use(count, example if isinstance(example, NamedNode) else None, kind)


def classes(schema: Schema, language: str) -> tuple[Node, ...]:
    """Return all our classes as trees, in the order of their names."""
    ours = {each for each in schema.classes if each.value.startswith(THC)}
    return _grown(_pairs(schema, ours), _named(schema, language), None)


def _classes(schema: Schema, iri: NamedNode, language: str) -> tuple[Node, ...]:
    """Return the classes above and below one."""
    known = {*schema.ancestors(iri), *schema.descendants(iri)}
    ours = {each for each in known if each.value.startswith(THC)}
    return _grown(_pairs(schema, ours), _named(schema, language), iri)


def _pairs(schema: Schema, among: set[NamedNode]) -> list[tuple[NamedNode, NamedNode | None]]:
    pairs: list[tuple[NamedNode, NamedNode | None]] = []
    for each in sorted(among, key=str):
        above = [parent for parent in schema.classes[each].parents if parent in among]
        pairs.extend([(each, parent) for parent in above] or [(each, None)])
    return pairs


def _named(schema: Schema, language: str) -> Mapping[NamedNode, tuple[str, str]]:
    return {
        each.iri: (each.label.in_(language), each.definition.in_(language))
        for each in schema.classes.values()
    }


def one_by_one(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes of some trees, each one once, those above first."""
    seen: set[NamedNode] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop(0)
        if node.iri not in seen:
            seen.add(node.iri)
            yield node
        waiting[:0] = node.below


def properties(schema: Schema, language: str) -> tuple[Node, ...]:
    """Return our properties, in the order of their names."""
    texts: dict[NamedNode, dict[NamedNode, list[Literal]]] = defaultdict(lambda: defaultdict(list))
    ours = set()
    for triple in schema.ontology:
        subject = triple.subject
        if isinstance(subject, NamedNode) and subject.value.startswith(THC):
            if triple.predicate == A and triple.object in PROPERTIES:
                ours.add(subject)
            if isinstance(triple.object, Literal):
                texts[subject][triple.predicate].append(triple.object)
    nodes = (
        Node(each, _text(texts[each], NAMES, language), _text(texts[each], DEFINITIONS, language))
        for each in ours
    )
    return tuple(sorted(nodes, key=lambda node: (node.name.casefold(), node.iri.value)))


async def _scheme(
    reader: Reader, scheme: NamedNode, here: NamedNode, language: str
) -> tuple[Node, ...]:
    rows = await reader.bindings("vocabulary/scheme", scheme=scheme)
    words = list(dict.fromkeys(cast("NamedNode", row["word"]) for row in rows))
    texts: dict[Term, dict[NamedNode, list[Literal]]] = defaultdict(lambda: defaultdict(list))
    for triple in await reader.graph("vocabulary/texts", word=words) if words else ():
        if isinstance(triple.object, Literal):
            texts[triple.subject][triple.predicate].append(triple.object)
    named = {
        each: (_text(texts[each], NAMES, language), _text(texts[each], DEFINITIONS, language))
        for each in words
    }
    above = [row.get("above") for row in rows]
    pairs = [
        (cast("NamedNode", row["word"]), each if each in named else None)
        for row, each in zip(rows, above, strict=True)
    ]
    return _grown(cast("list[tuple[NamedNode, NamedNode | None]]", pairs), named, here)


def _text(
    texts: Mapping[NamedNode, list[Literal]], wanted: Iterable[NamedNode], language: str
) -> str:
    found = (text_in(texts.get(each, ()), language) for each in wanted)
    return next((each.value for each in found if each), "")


def _grown(
    pairs: Sequence[tuple[NamedNode, NamedNode | None]],
    named: Mapping[NamedNode, tuple[str, str]],
    here: NamedNode | None,
) -> tuple[Node, ...]:
    """Return trees from pairs of a word and the one above it; a cycle is cut."""
    below: dict[NamedNode | None, list[NamedNode]] = defaultdict(list)
    for each, above in pairs:
        below[above].append(each)

    def grow(each: NamedNode, over: frozenset[NamedNode]) -> Node:
        name, definition = named.get(each, ("", ""))
        under = (grow(one, over | {each}) for one in below[each] if one not in over)
        return Node(each, name, definition, each == here, tuple(under))

    return tuple(grow(each, frozenset()) for each in below[None])
