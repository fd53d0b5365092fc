"""Naming: which entities a row describes, and the IRI of each.

An IRI comes from the Identifiant, else from the key that the shape of the class
names. What has an IRI already keeps it, whatever its names have become.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.names import keys
from thc_graph.names.names import Names
from thc_graph.names.words import folded
from thc_graph.rdf import iris
from thc_graph.rdf.terms import DASH, SKOS, THC, A
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import NodeShape, PropertyShape
from thc_graph.sheets.cells import values
from thc_graph.sheets.columns.layout import Member
from thc_graph.sheets.imports.cells import Cells, Share
from thc_graph.sheets.problems import Cell, Problem, Severity, Unreadable, note, warning
from thc_graph.sheets.tables.reading import Row

_LABEL, _ID = DASH["LabelRole"], DASH["IDRole"]
_CONCEPT = SKOS["Concept"]
_TERRITORY = THC["Territoire"]


@dataclass(frozen=True)
class Subject:
    """One entity of one row, named."""

    iri: NamedNode
    class_: NamedNode
    member: Member
    row: Row
    only: Share | None = None


@dataclass
class Naming:
    """Names the entities of the rows of one table."""

    cells: Cells
    names: Names
    schema: Schema
    graph: NamedNode
    aliases: list[Quad] = field(default_factory=list)  # identifiers as they were typed
    _called: dict[NamedNode, tuple[PropertyShape, ...]] = field(default_factory=dict)

    def subjects(self, row: Row) -> Iterator[list[Subject]]:
        """Yield the entities of a row; several lists where a cell makes one for each value."""
        main, *parts = self.cells.layout.members
        for only in self._shares(main, row):
            first = self.subject(main, row, only, ())
            if first is not None:
                found = [first]
                for part in parts:
                    if self._is_made(part, main, row):
                        made = self.subject(part, row, only, found)
                        found.extend([made] if made else [])
                yield found

    def _shares(self, main: Member, row: Row) -> list[Share | None]:
        for shape in main.properties:
            if shape.each_value:
                text = self.cells.first(shape, row)
                found = [Share(shape.name.fr, each) for each in values.split(text, shape)]
                return [*found] or [None]
        return [None]

    def _is_made(self, part: Member, main: Member, row: Row) -> bool:
        """A part is made when a cell of its own, not one of the main entity's, is filled."""
        shared = {column for each in main.properties for column in self.cells.columns(each)}
        own = (cell for each in part.properties for cell in self.cells.of(each, row))
        return any(text and column not in shared for column, text in own)

    def subject(
        self, member: Member, row: Row, only: Share | None, before: Iterable[Subject]
    ) -> Subject | None:
        class_ = self.class_of(member, row)
        if class_ is None:
            return None
        iri = self.name(class_, row, only, tuple(before))
        if iri is None:
            return None
        called = [t for s in self._calling(class_) for _, t in self.cells.of(s, row) if t]
        if called:
            self._doubt(iri, class_, called, row)
        self.names.add(iri, frozenset({class_}), called)
        return Subject(iri, class_, member, row, only)

    def _calling(self, class_: NamedNode) -> tuple[PropertyShape, ...]:
        """Return the properties that a thing is called by, its label first."""
        if class_ not in self._called:
            shapes = self.schema.properties_of(class_)
            found = [s for s in shapes if s.role in (_LABEL, _ID) and self.cells.columns(s)]
            self._called[class_] = tuple(sorted(found, key=lambda shape: shape.role != _LABEL))
        return self._called[class_]

    # Classes

    def class_of(self, member: Member, row: Row) -> NamedNode | None:
        """Return the class the row's type cell says, or the only one, or the default."""
        if len(member.classes) == 1:
            return member.classes[0]
        shape = next((s for s in member.properties if s.predicate == A), None)
        cells = self.cells.of(shape, row) if shape else []
        if shape is not None and cells and cells[0][1]:
            cell = self.cells.place(row, cells[0][0])
            return self._class_called(self.cells.read_as(shape, cells[0][1]), member, cell)
        if shape is not None and isinstance(shape.default, NamedNode):
            return shape.default
        where = self.cells.place(row, cells[0][0] if cells else None)
        self.cells.fault(where, "", "missing-type", self._class_labels(member))
        return None

    def _class_called(self, text: str, member: Member, cell: Cell) -> NamedNode | None:
        word = folded(text)
        for iri in member.classes:
            if word in self._words(iri):
                return iri
        self.cells.fault(cell, text, "unknown-type", self._class_labels(member))
        return None

    def _words(self, iri: NamedNode) -> set[str]:
        class_ = self.schema.classes.get(iri)
        spoken = (class_.label.fr, class_.label.en, *class_.variants) if class_ else ()
        return {folded(word) for word in (*spoken, iri.value.rpartition("#")[2])}

    def _class_labels(self, member: Member) -> tuple[str, ...]:
        known = self.schema.classes
        return tuple(known[c].label.fr for c in member.classes if c in known)

    # Keys

    def name(
        self, class_: NamedNode, row: Row, only: Share | None, before: tuple[Subject, ...]
    ) -> NamedNode | None:
        """Return the entity's IRI, from its Identifiant (main entity only) or its key."""
        naming = self.schema.naming(class_)
        if naming is None:
            return None
        given = self.cells.layout.identifier
        text = self.cells.text(given, row) if given and not before else ""
        if text:
            return self._identified(text, class_, naming, self.cells.place(row, given))
        key = self._key(naming.key, class_, row, only, before)
        key = key or self._key(naming.fallback_key, class_, row, only, before)
        if key:
            return self._existing(naming, row) or self._named(naming, key)
        if before or not all(self.cells.first(s, row, only) for s in self._keys(class_)):
            self.refuse(class_, row)
        return None  # what is wrong in a cell of the key is told when it is judged

    def refuse(self, class_: NamedNode, row: Row) -> None:
        """Tell what would name a row."""
        columns = ", ".join(each.name.fr for each in self._keys(class_))
        self.cells.fault(self.cells.place(row), "", "missing-key", columns=columns)

    def is_told(self, class_: NamedNode, row: Row, problems: Iterable[Problem]) -> bool:
        """Say whether some problems are of a cell that should have named a row."""
        columns = (column for shape in self._keys(class_) for column in self.cells.columns(shape))
        places = {self.cells.place(row, column) for column in columns}
        return any(p.cell in places and p.severity is Severity.ERROR for p in problems)

    def _keys(self, class_: NamedNode) -> list[PropertyShape]:
        naming = self.schema.naming(class_)
        return [self.schema.property(each) for each in (naming.key if naming else ())]

    def _identified(
        self, text: str, class_: NamedNode, naming: NodeShape, cell: Cell
    ) -> NamedNode | None:
        """Return the IRI of an identifier; one that is no slug is kept as another spelling."""
        if (published := self._published(text, naming)) is not None:
            return published
        key = self._spelt(text, naming)
        if not key:
            self.cells.fault(cell, text, "bad-identifier")
            return None
        if key == text:
            return self._minted(naming, key)
        iri = self._other_spelling(text, class_) or self._minted(naming, key)
        if not (key.isdigit() or text.isdigit()):
            self.cells.say(cell, text, note("alias", value=self.names.key(iri)))
            self.aliases.append(Quad(iri, SKOS["hiddenLabel"], Literal(text), self.graph))
            self.names.add(iri, frozenset({class_}), ())
            self.names.call(iri, text)
        return iri

    def _spelt(self, text: str, naming: NodeShape) -> str:
        """Return the key of an identifier; a concept's has that of its scheme before it."""
        if not naming.namespace:
            return keys.key(text)
        parts = [iris.slug(part) for part in text.split("/")]
        return "/".join(parts) if all(parts) else ""

    def _other_spelling(self, text: str, class_: NamedNode) -> NamedNode | None:
        """Return the one thing that bears an identifier as another spelling or as its name."""
        if "/" in text:
            return None
        found = [
            iri
            for iri in self.names.called(text, frozenset({class_}))
            if not keys.is_of_another(self.names.key(iri), text)
        ]
        return found[0] if len(found) == 1 else None

    def _published(self, key: str, naming: NodeShape) -> NamedNode | None:
        """Return what has this very key already: 2A004 is no slug."""
        try:
            iri = self._minted(naming, key)
        except ValueError:
            return None
        return iri if self.names.types(iri) else None

    def _named(self, naming: NodeShape, key: str) -> NamedNode:
        """Return the IRI of a natural key; parts of it may come from keys that are no slugs."""
        if naming.namespace or "/" not in key:
            return self._minted(naming, key)
        return self._published(key, naming) or self._minted(naming, keys.key(key))

    def _minted(self, naming: NodeShape, key: str) -> NamedNode:
        if naming.namespace:
            return NamedNode(naming.namespace + key)
        return iris.entity(self.names.base, naming.kind or "", key)

    def _existing(self, naming: NodeShape, row: Row) -> NamedNode | None:
        """Return the concept of the row's scheme that has the row's code under another slug."""
        if not naming.namespace:
            return None
        scheme, code = (self.schema.property(each) for each in naming.key[:2])
        schemes = self.names.find(self.cells.first(scheme, row), scheme)
        found = self.names.called(self.cells.first(code, row), frozenset({_CONCEPT}))
        mine = [iri for iri in found if not self.names.types(iri).isdisjoint(schemes)]
        return mine[0] if len(mine) == 1 else None

    def _key(
        self,
        shapes: tuple[NamedNode, ...],
        class_: NamedNode,
        row: Row,
        only: Share | None,
        before: tuple[Subject, ...],
    ) -> str | None:
        found = [self.schema.property(s) for s in shapes]
        segments: list[str] = []
        for shape in found:
            segment = self._segment(shape, class_, row, only, before)
            if not segment:
                return None
            segments.append(segment)
        return ("/" if found and self._is_concept(found[0]) else "-").join(segments) or None

    def _is_concept(self, first: PropertyShape) -> bool:
        """A concept's key is its scheme's name, then its code."""
        return first.predicate == SKOS["inScheme"]

    def _segment(
        self,
        shape: PropertyShape,
        class_: NamedNode,
        row: Row,
        only: Share | None,
        before: tuple[Subject, ...],
    ) -> str | None:
        linked = self._linked(shape, before)
        if linked is not None:
            return self._reference_segment(linked, shape)
        text = self.cells.first(shape, row, only) or shape.default_cell or ""
        if not text:
            return None
        if shape.classes or shape.scheme:
            found = self.names.find(text, shape, self.cells.departement(row))
            return self._reference_segment(found[0], shape) if len(found) == 1 else None
        return self._literal_segment(text, shape, self.schema.code_length(class_, shape.predicate))

    def _literal_segment(self, text: str, shape: PropertyShape, length: int) -> str:
        """A code that opens with a digit keeps its form (2A004); anything else is slugged."""
        if text.isdigit():
            text = text.zfill(length)
        try:
            term = values.read(text, shape, "fr").term
        except Unreadable:  # told when the cell is read
            return iris.slug(text)
        if not isinstance(term, Literal):
            return ""
        read = term.value
        if shape.role == _ID and read[:1].isdigit() and read.isascii() and read.isalnum():
            return read.zfill(length) if read.isdigit() else read
        return iris.slug(read)

    def _linked(self, shape: PropertyShape, before: tuple[Subject, ...]) -> NamedNode | None:
        """Return the entity of the same row that a part's link property points at."""
        layout = self.cells.layout
        for part, member in zip(layout.sheet.parts, layout.members[1:], strict=True):
            if part.link == shape.iri and self.schema.has_property(member.shape, shape.iri):
                return self.target(part.link, before)
        return None

    def target(self, link: NamedNode, before: Iterable[Subject]) -> NamedNode | None:
        """Return the entity of a row that a link may point at."""
        classes = self.schema.property(link).classes
        for each in before:
            above = self.schema.ancestors(each.class_)
            if not classes or any(class_ in above for class_ in classes):
                return each.iri
        return None

    def _reference_segment(self, iri: NamedNode, shape: PropertyShape) -> str:
        place = iris.kind_and_key(iri.value, self.names.base)
        if place is None:
            return iri.value.rstrip("/").rpartition("/")[2]
        return f"{place[0]}-{place[1]}" if shape.key_with_kind else place[1]

    # Doubts about what already has a name

    def _doubt(self, iri: NamedNode, class_: NamedNode, called: list[str], row: Row) -> None:
        """Refuse a code whose label is another thing's; warn of a label that another kind bears."""
        label = self.names.label(iri)
        naming = self.schema.naming(class_)
        shape = self.schema.property(naming.key[-1]) if naming and naming.key else None
        if label is not None and folded(label) != folded(called[0]):
            others = self.names.called(called[0], frozenset({class_})) - {iri}
            if others and shape is not None and shape.role == _ID:
                told = tuple(self.names.describe(each) for each in (iri, *sorted(others, key=str)))
                where = self.cells.place(row, next(iter(self.cells.columns(shape)), None))
                self.cells.fault(where, called[0], "contradiction", told[:6])
        elif label is None and shape is not None and shape.role == _LABEL:
            kinds = frozenset(self.schema.descendants(_TERRITORY))
            alike = self.names.called(called[0], kinds) - {iri} if class_ in kinds else ()
            if alike:
                remark = warning("same-name", candidates=self._listed(alike))
                self.cells.say(self.cells.place(row), called[0], remark)

    def _listed(self, found: Iterable[NamedNode]) -> str:
        return ", ".join(sorted(map(self.names.describe, found))[:5])
