"""Reading ontology and shape files into a `Schema`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    parse,
)

from thc_graph.errors import SchemaError
from thc_graph.rdf.terms import DASH, OWL, RDF, RDFS, SH, SKOS, THC, A, Term
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import (
    Class,
    Group,
    NodeShape,
    Part,
    PropertyShape,
    Sheet,
    Step,
    Text,
)

Node = NamedNode | BlankNode


def read_schema(*folders: Path) -> Schema:
    """Read every Turtle file below the folders, ontology and shapes together.

    Raises:
        SchemaError: A file is not Turtle, or a shape lacks what its use needs.
    """
    store = Store()
    for path in sorted(path for folder in folders for path in folder.rglob("*.ttl")):
        _load(store, path)
    return _Reader(store).schema()


def read_triples(path: Path) -> list[Triple]:
    """Return the triples of one Turtle file.

    Raises:
        SchemaError: The file is not Turtle; says where.
    """
    try:
        return [quad.triple for quad in parse(path=str(path), format=RdfFormat.TURTLE)]
    except SyntaxError as fault:
        raise SchemaError(f"{path.name}, line {fault.lineno}: {fault.msg}") from fault


def _load(store: Store, path: Path) -> None:
    # Blank nodes of two files do not meet: each is named at random when it is read.
    store.extend(Quad(t.subject, t.predicate, t.object) for t in read_triples(path))


class _Reader:
    """The one place that walks the graph of shapes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def schema(self) -> Schema:
        triples = tuple(quad.triple for quad in self.store)
        shapes = [self.node_shape(iri) for iri in self.instances(SH["NodeShape"])]
        sheets = [self.sheet(iri) for iri in self.instances(THC["Sheet"])]
        groups = [self.group(iri) for iri in self.instances(SH["PropertyGroup"])]
        classes = [self.class_(iri) for iri in self.instances(OWL["Class"])]
        return Schema(
            classes={each.iri: each for each in classes},
            shapes={each.iri: each for each in shapes},
            sheets={each.slug: each for each in sorted(sheets, key=lambda s: (s.order, s.slug))},
            groups={each.iri: each for each in groups},
            ontology=tuple(t for t in triples if t.predicate == RDFS["subClassOf"]),
            graph=triples,
        )

    # One value at a time

    def values(self, node: Node, predicate: NamedNode) -> Iterator[Term]:
        found = self.store.quads_for_pattern(node, predicate, None)
        yield from sorted((quad.object for quad in found), key=str)

    def value(self, node: Node, predicate: NamedNode) -> Term | None:
        return next(self.values(node, predicate), None)

    def iris(self, node: Node, predicate: NamedNode) -> tuple[NamedNode, ...]:
        return tuple(v for v in self.values(node, predicate) if isinstance(v, NamedNode))

    def iri(self, node: Node, predicate: NamedNode) -> NamedNode | None:
        return next(iter(self.iris(node, predicate)), None)

    def literals(self, node: Node, predicate: NamedNode) -> tuple[str, ...]:
        found = self.values(node, predicate)
        return tuple(v.value for v in found if isinstance(v, Literal))

    def literal(self, node: Node, predicate: NamedNode) -> str | None:
        return next(iter(self.literals(node, predicate)), None)

    def flag(self, node: Node, predicate: NamedNode) -> bool:
        return self.literal(node, predicate) == "true"

    def number(self, node: Node, predicate: NamedNode) -> float | None:
        text = self.literal(node, predicate)
        return None if text is None else float(text)

    def text(self, node: Node, predicate: NamedNode) -> Text:
        found = [v for v in self.values(node, predicate) if isinstance(v, Literal)]
        spoken = {v.language: v.value for v in found}
        return Text(fr=spoken.get("fr", spoken.get(None, "")), en=spoken.get("en", ""))

    def instances(self, class_: NamedNode) -> list[NamedNode]:
        found = self.store.quads_for_pattern(None, A, class_)
        return sorted({q.subject for q in found if isinstance(q.subject, NamedNode)}, key=str)

    def members(self, head: Term | None) -> Iterator[Term]:
        """Yield the members of an RDF list."""
        while isinstance(head, BlankNode):
            first = self.value(head, RDF["first"])
            if first is None:
                raise SchemaError("An RDF list in the shapes is broken.")
            yield first
            head = self.value(head, RDF["rest"])

    def members_of(self, node: Node, predicate: NamedNode) -> tuple[NamedNode, ...]:
        found = self.members(self.value(node, predicate))
        return tuple(each for each in found if isinstance(each, NamedNode))

    # What they make together

    def class_(self, iri: NamedNode) -> Class:
        variants = (*self.literals(iri, SKOS["altLabel"]), *self.literals(iri, SKOS["hiddenLabel"]))
        return Class(
            iri=iri,
            label=self.text(iri, RDFS["label"]),
            definition=self.text(iri, SKOS["definition"]),
            parents=self.iris(iri, RDFS["subClassOf"]),
            variants=variants,
        )

    def group(self, iri: NamedNode) -> Group:
        order = self.number(iri, SH["order"])
        return Group(iri, self.text(iri, RDFS["label"]), 99 if order is None else order)

    def sheet(self, iri: NamedNode) -> Sheet:
        slug, row = self.literal(iri, THC["slug"]), self.iri(iri, THC["row"])
        if slug is None or row is None:
            raise SchemaError(f"The sheet {iri.value} needs thc:slug and thc:row.")
        return Sheet(
            iri=iri,
            slug=slug,
            label=self.text(iri, RDFS["label"]),
            description=self.text(iri, RDFS["comment"]),
            row=row,
            parts=tuple(sorted(map(self.part, self.iris(iri, THC["part"])), key=lambda p: p.order)),
            order=self.number(iri, THC["order"]) or 0,
        )

    def part(self, iri: NamedNode) -> Part:
        shape, link = self.iri(iri, THC["shape"]), self.iri(iri, THC["link"])
        if shape is None or link is None:
            raise SchemaError(f"The part {iri.value} needs thc:shape and thc:link.")
        order = self.number(iri, THC["order"]) or 0
        return Part(shape, link, self.iri(iri, THC["inverseLink"]), order)

    def node_shape(self, iri: NamedNode) -> NodeShape:
        properties = self.values(iri, SH["property"])
        return NodeShape(
            iri=iri,
            target=self.iri(iri, SH["targetClass"]),
            target_subjects_of=self.iri(iri, SH["targetSubjectsOf"]),
            name=self.text(iri, SH["name"]),
            description=self.text(iri, SH["description"]),
            kind=self.literal(iri, THC["kind"]),
            key=self.members_of(iri, THC["key"]),
            fallback_key=self.members_of(iri, THC["fallbackKey"]),
            namespace=getattr(self.value(iri, THC["namespace"]), "value", None),
            properties=tuple(
                self.property_shape(p) for p in properties if isinstance(p, NamedNode)
            ),
        )

    def property_shape(self, iri: NamedNode) -> PropertyShape:
        alternatives = [iri, *self.members(self.value(iri, SH["or"]))]
        maximum = self.number(iri, SH["maxCount"])
        default = self.value(iri, SH["defaultValue"])
        return PropertyShape(
            iri=iri,
            path=self.path(iri),
            name=self.text(iri, SH["name"]),
            description=self.text(iri, SH["description"]),
            message=self.text(iri, SH["message"]),
            datatypes=tuple(self._all(alternatives, SH["datatype"])),
            classes=tuple(self._all(alternatives, SH["class"])),
            scheme=self.scheme(iri),
            choices=self.members_of(iri, SH["in"]),
            is_iri=self.iri(iri, SH["nodeKind"]) == SH["IRI"],
            pattern=self.literal(iri, SH["pattern"]),
            minimum=self.number(iri, SH["minInclusive"]),
            maximum=self.number(iri, SH["maxInclusive"]),
            min_length=int(self.number(iri, SH["minLength"]) or 0),
            min_count=int(self.number(iri, SH["minCount"]) or 0),
            max_count=None if maximum is None else int(maximum),
            is_required=any(self.value(iri, SH[each]) for each in _REQUIRING),
            unique_language=self.flag(iri, SH["uniqueLang"]),
            checks=self.iri(iri, THC["column"]),
            severity=self.iri(iri, SH["severity"]) or SH["Violation"],
            group=self.iri(iri, SH["group"]),
            order=self.number(iri, SH["order"]) or 0,
            role=self.iri(iri, DASH["propertyRole"]),
            in_sheets=not self.flag(iri, THC["noColumn"]),
            variants=self.literals(iri, THC["variant"]),
            value_template=self.literal(iri, THC["valueTemplate"]),
            default=default if isinstance(default, NamedNode | Literal) else None,
            default_cell=self.literal(iri, THC["defaultCell"]),
            synonyms=dict(_pair(text) for text in self.literals(iri, THC["synonym"])),
            each_value=self.flag(iri, THC["eachValue"]),
            key_with_kind=self.flag(iri, THC["keyWithKind"]),
            comma_separates=self.flag(iri, THC["commaSeparates"]),
            format=self.literal(iri, THC["format"]),
            ends=self.iris(iri, THC["end"]),
            read_in=self.iri(iri, THC["readIn"]),
            inverse_link=self.iri(iri, THC["inverseLink"]),
            facet=self.flag(iri, THC["facet"]),
            facet_along=self.iri(iri, THC["facetAlong"]),
        )

    def _all(self, nodes: Iterable[Term], predicate: NamedNode) -> Iterator[NamedNode]:
        for node in nodes:
            if isinstance(node, NamedNode | BlankNode):
                yield from self.iris(node, predicate)

    def scheme(self, iri: NamedNode) -> NamedNode | None:
        """Return the scheme whose concepts `sh:node` asks for (see shapes/schemes.ttl)."""
        for member in self.iris(iri, SH["node"]):
            for each in self.values(member, SH["property"]):
                if not isinstance(each, NamedNode | BlankNode):
                    continue
                if self.iri(each, SH["path"]) == SKOS["inScheme"]:
                    return self.iri(each, SH["hasValue"])
        return None

    def path(self, iri: NamedNode) -> tuple[Step, ...]:
        path = self.value(iri, SH["path"])
        if path is None:
            raise SchemaError(f"The property shape {iri.value} needs sh:path.")
        is_list = isinstance(path, BlankNode) and self.value(path, RDF["first"]) is not None
        steps = list(self.members(path)) if is_list else [path]
        return tuple(self._step(step, iri) for step in steps)

    def _step(self, step: Term, iri: NamedNode) -> Step:
        if isinstance(step, NamedNode):
            return Step(step)
        inverse = self.iri(step, SH["inversePath"]) if isinstance(step, BlankNode) else None
        if inverse is None:
            raise SchemaError(f"{iri.value}: only sequence and inverse paths are read.")
        return Step(inverse, inverse=True)


_REQUIRING = ("minCount", "hasValue", "qualifiedMinCount")  # none of them is ever written 0


def _pair(text: str) -> tuple[str, str]:
    typed, _, read = text.partition("=")
    return typed, read
