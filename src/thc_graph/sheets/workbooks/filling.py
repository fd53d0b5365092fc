"""Exporting: published entities as rows of their sheet, the inverse of conversion.

Every value written is read back first, by the rules of conversion: what would not
come back as it is stays out of the row, and is told. An empty cell changes nothing,
so a row may leave a fact out without harm.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.names.names import Names
from thc_graph.names.words import heading
from thc_graph.rdf import iris
from thc_graph.rdf.terms import XSD, A, Term
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import Part, PropertyShape, Sheet
from thc_graph.sheets.cells import values
from thc_graph.sheets.cells.values import Unreadable
from thc_graph.sheets.columns.layout import IDENTIFIER, Member, members
from thc_graph.sheets.columns.template import Column, Template, template
from thc_graph.sheets.tables import escaping

LONGEST = 32_767  # characters of a cell of .xlsx

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # not in an XML document, or changed

Facts = Mapping[NamedNode, Mapping[NamedNode, list[Term]]]


@dataclass(frozen=True)
class Omitted:
    """A published fact that no cell of this sheet can say."""

    subject: NamedNode
    predicate: NamedNode
    value: Term


@dataclass
class Filled:
    """A template with the data of a graph; `subjects` are the rows' main entities."""

    template: Template
    subjects: list[NamedNode] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    omitted: list[Omitted] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """An entity of a row, with the property that each heading fills in it."""

    iri: NamedNode
    member: Member
    shapes: Mapping[str, PropertyShape]


def filled(
    sheet: Sheet,
    schema: Schema,
    names: Names,
    quads: Iterable[Quad],
    only: frozenset[NamedNode] | None = None,
) -> Filled:
    """Return the entities that one graph holds as rows of a sheet.

    Args:
        names: All that is published, for references.
        quads: The graph of one dataset's sheet.
        only: The main entities wanted; None for all of them. Those that share a part
            of their row with one of them come along: a part is whole or absent.
    """
    facts = _facts(quads)
    main = members(sheet, schema)[0]
    found = {iri: c for iri in facts if (c := _class(iri, main, facts)) is not None}
    languages = _languages(facts)
    form = template(sheet, schema, languages, frozenset(found.values()))
    writer = _Writer(form, schema, names, facts)
    wanted = {iri: writer.made(iri) for iri in sorted(found, key=lambda iri: iri.value)}
    if only is not None:
        wanted = _with_shared_parts(wanted, only)
    return writer.written(wanted)


def _facts(quads: Iterable[Quad]) -> Facts:
    found: dict[NamedNode, dict[NamedNode, list[Term]]] = {}
    for quad in quads:
        if isinstance(quad.subject, NamedNode):
            found.setdefault(quad.subject, {}).setdefault(quad.predicate, []).append(quad.object)
    return found


def _class(iri: NamedNode, member: Member, facts: Facts) -> NamedNode | None:
    types = facts.get(iri, {}).get(A, [])
    return next((each for each in member.classes if each in types), None)


def _languages(facts: Facts) -> tuple[str, ...]:
    terms = (term for each in facts.values() for found in each.values() for term in found)
    spoken = {term.language for term in terms if isinstance(term, Literal)}
    return ("fr", "en") if "en" in spoken else ("fr",)


def _with_shared_parts(
    made: dict[NamedNode, list[Made]], only: frozenset[NamedNode]
) -> dict[NamedNode, list[Made]]:
    parts = {each.iri for iri in only & made.keys() for each in made[iri][1:]}
    return {
        iri: found
        for iri, found in made.items()
        if iri in only or any(each.iri in parts for each in found[1:])
    }


class _Writer:
    def __init__(self, form: Template, schema: Schema, names: Names, facts: Facts) -> None:
        self.form, self.schema, self.names, self.facts = form, schema, names, facts
        self.headings = {each.heading for each in form.columns}
        self.out = Filled(form)
        self._shapes: dict[NamedNode, Mapping[str, PropertyShape]] = {}
        self._spoken: dict[tuple[NamedNode, NamedNode], str] = {}
        self._pointing = _pointing(facts)
        links = (iri for p in form.sheet.parts for iri in (p.link, p.inverse_link) if iri)
        self._links = {schema.property(iri).predicate for iri in links}

    def written(self, wanted: Mapping[NamedNode, list[Made]]) -> Filled:
        for iri, found in wanted.items():
            cells = tuple(self.cell(column, found) for column in self.form.columns)
            if cells[0]:
                self.out.subjects.append(iri)
                self.out.rows.append(cells)
                for each in found:
                    self._tell_omitted(each, cells)
        return self.out

    # The entities of a row

    def made(self, iri: NamedNode) -> list[Made]:
        """Return the entities of a row: the main one, then its parts in their order."""
        main, *parts = self.form.members
        found = [self._made(iri, main)]
        for part, member in zip(self.form.sheet.parts, parts, strict=True):
            linked = self._linked(part, member, found)
            found.extend([self._made(linked, member)] if linked else [])
        return found

    def _made(self, iri: NamedNode, member: Member) -> Made:
        class_ = _class(iri, member, self.facts) or member.classes[0]
        if class_ not in self._shapes:
            self._shapes[class_] = self._by_heading(class_)
        return Made(iri, member, self._shapes[class_])

    def _by_heading(self, class_: NamedNode) -> dict[str, PropertyShape]:
        """Return the property each heading fills, as `columns.Layout.column` finds it."""
        found: dict[str, PropertyShape] = {}
        for shape in self.schema.properties_of(class_):
            if shape.is_column:
                names = map(heading, (shape.name.fr, *shape.variants))
                name = next((each for each in names if each in self.headings), None)
                if name is not None:
                    found[name] = shape
        return found

    def _linked(self, part: Part, member: Member, before: list[Made]) -> NamedNode | None:
        link = self.schema.property(part.link)
        others = {each.iri for each in before}
        if self.schema.has_property(member.shape, part.link):
            near = (s for o in others for p, s in self._pointing.get(o, ()) if p == link.predicate)
        else:
            near = (
                term
                for other in others
                for term in self.facts[other].get(link.predicate, ())
                if isinstance(term, NamedNode)
            )
        found = (iri for iri in near if _class(iri, member, self.facts))
        return min(found, key=lambda iri: iri.value, default=None)

    # Cells

    def cell(self, column: Column, found: list[Made]) -> str:
        """Return what one cell says: nothing, where the entities of the row disagree."""
        if column.heading == heading(IDENTIFIER):
            return self._identifier(found[0].iri)
        said = [
            self._said(each, each.shapes[column.heading], column.language)
            for each in found
            if column.heading in each.shapes and not _is_implied(each, column.heading)
        ]
        agreed = said[0] if said and all(each == said[0] for each in said) else ""
        return agreed if len(agreed) <= LONGEST else ""

    def _identifier(self, iri: NamedNode) -> str:
        place = iris.kind_and_key(iri.value, self.names.base)
        if place is not None:
            return place[1]
        naming = self.schema.naming(self.form.members[0].classes[0])
        space = naming.namespace if naming else None
        return iri.value.removeprefix(space) if space and iri.value.startswith(space) else ""

    def _said(self, made: Made, shape: PropertyShape, language: str) -> str:
        """Return the text of a property's values in one language."""
        terms = self.facts[made.iri].get(shape.predicate, ())
        said = sorted(filter(None, (self.text(t, shape, language, made) for t in terms)))
        if not shape.is_multiple:
            return said[0] if len(said) == 1 else ""
        marks = values.marks(shape)
        return " | ".join(escaping.marked(each, marks) for each in said)

    def text(self, term: Term, shape: PropertyShape, language: str, made: Made) -> str:
        """Return one value as it is typed, "" where this column cannot say it."""
        if isinstance(term, NamedNode):
            return self._name(term, shape, made) if language == "fr" else ""
        if not isinstance(term, Literal) or term.language not in (None, language):
            return ""
        if _UNWRITABLE.search(term.value) or term.value != term.value.strip():
            return ""
        said = escaping.guarded(_typed(term))
        try:
            read = values.literal(said, shape, language)
        except Unreadable:
            return ""
        return said if read == term and not values.is_nothing(said, shape) else ""

    def _name(self, iri: NamedNode, shape: PropertyShape, made: Made) -> str:
        if shape.predicate == A:
            class_ = self.schema.classes.get(iri)
            return class_.label.fr if class_ and iri in made.member.classes else ""
        key = iri, shape.iri
        if key not in self._spoken:
            siblings = [s for s in made.shapes.values() if s.predicate == shape.predicate]
            self._spoken[key] = next(self._names(iri, shape, siblings), "")
        return self._spoken[key]

    def _names(
        self, iri: NamedNode, shape: PropertyShape, siblings: list[PropertyShape]
    ) -> Iterator[str]:
        """Yield the ways to write a reference that are read as it: label, kind and key, IRI."""
        place = iris.kind_and_key(iri.value, self.names.base)
        for said in (self.names.label(iri) or "", "/".join(place or ()), iri.value):
            if said and self._is_read(said, iri, shape):
                yield escaping.guarded(said)
        if shape.is_iri and not shape.classes and not shape.scheme:
            yield from self._address(iri, shape, siblings)

    def _is_read(self, said: str, iri: NamedNode, shape: PropertyShape) -> bool:
        marks = values.marks(shape) if shape.is_multiple else ""
        cuts = said != iri.value and any(mark in said for mark in marks)
        return (
            not cuts
            and not values.is_nothing(said, shape)
            and self.names.find(said, shape) == [iri]
        )

    def _address(
        self, iri: NamedNode, shape: PropertyShape, siblings: list[PropertyShape]
    ) -> Iterator[str]:
        """Yield a web address whole, or what stands for {} in the shape's template."""
        said = _inside(iri.value, shape.value_template or "{}")
        claimed = any(
            each.value_template and _inside(iri.value, each.value_template) for each in siblings
        )
        if said and (shape.value_template or not claimed) and _link(said, shape) == iri:
            yield said

    def _tell_omitted(self, made: Made, cells: tuple[str, ...]) -> None:
        """Tell the facts of an entity that no filled cell says."""
        columns = [
            (made.shapes[column.heading], column.language)
            for column, cell in zip(self.form.columns, cells, strict=True)
            if cell and column.heading in made.shapes
        ]
        for predicate, terms in self.facts[made.iri].items():
            if predicate == A or predicate in self._links:
                continue
            speaking = [(s, language) for s, language in columns if s.predicate == predicate]
            for term in terms:
                if not any(self.text(term, s, language, made) for s, language in speaking):
                    self.out.omitted.append(Omitted(made.iri, predicate, term))


def _is_implied(made: Made, name: str) -> bool:
    """The type of an entity that can be of one class only is asked of nobody."""
    return made.shapes[name].predicate == A and len(made.member.classes) == 1


def _pointing(facts: Facts) -> dict[NamedNode, list[tuple[NamedNode, NamedNode]]]:
    """Return, for each entity, who points at it and by which property."""
    found: dict[NamedNode, list[tuple[NamedNode, NamedNode]]] = {}
    for subject, said in facts.items():
        for predicate, terms in said.items():
            for term in terms:
                if isinstance(term, NamedNode) and term in facts:
                    found.setdefault(term, []).append((predicate, subject))
    return found


def _typed(term: Literal) -> str:
    if term.datatype == XSD["boolean"]:
        return "oui" if term.value == "true" else "non"
    if term.datatype == XSD["time"]:
        return term.value.removesuffix(":00")
    return term.value


def _inside(iri: str, pattern: str) -> str:
    """Return what stands for {} in an IRI of this pattern, "" in any other."""
    before, _, after = pattern.partition("{}")
    fits = iri.startswith(before) and iri.endswith(after)
    return iri.removeprefix(before).removesuffix(after) if fits else ""


def _link(text: str, shape: PropertyShape) -> NamedNode | None:
    try:
        return values.link(text, shape)
    except Unreadable:
        return None
