"""Templates: the columns of a sheet, read from its shapes, for people to fill.

The same columns carry published data out (`sheets.workbooks.filling`), so what is exported is
read back by the very rules by which it came in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from pyoxigraph import Literal, NamedNode

from thc_graph.names.words import folded, heading
from thc_graph.rdf.terms import RDF, SKOS, XSD, A
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape, Sheet, Text
from thc_graph.sheets.columns.layout import ENGLISH, IDENTIFIER, Member, members
from thc_graph.sheets.problems import message

EXAMPLE = "Exemple :"  # opens the first cell of a row that is shown, and not read
IN_SCHEME, LABEL = SKOS["inScheme"], SKOS["prefLabel"]


class Kind(Enum):
    """How a column's cells are written and checked by a spreadsheet program."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    YES_NO = "yes-no"


@dataclass(frozen=True)
class Column:
    """One column of a template; `choices` is the list its cells are taken from."""

    name: str
    shape: PropertyShape | None = None  # None: the identifier
    language: str = "fr"
    is_required: bool = False
    choices: tuple[str, ...] = ()
    list_name: str = ""

    @property
    def heading(self) -> str:
        return heading(self.name.removesuffix(ENGLISH))

    @property
    def kind(self) -> Kind:
        datatypes = self.shape.datatypes if self.shape else ()
        return next((_KINDS[each] for each in datatypes if each in _KINDS), Kind.TEXT)

    @property
    def is_multiple(self) -> bool:
        return self.shape is not None and (self.shape.is_multiple or self.shape.each_value)

    @property
    def help(self) -> Text:
        return self.shape.description if self.shape else message("identifier-help")

    @property
    def example(self) -> str:
        """What the shape's message gives as an example, « par exemple … »."""
        spoken = " ".join(self.shape.message.fr.split()) if self.shape else ""
        _, said, after = spoken.partition("par exemple ")
        quoted = after[1:].partition("»")[0] if after.startswith("«") else after.partition(" ")[0]
        found = quoted.strip().rstrip(".,;:") if said else ""
        if self.choices and not self.is_multiple:
            return next((c for c in self.choices if folded(c) == folded(found)), self.choices[0])
        return found


_KINDS = {
    XSD["date"]: Kind.DATE,
    XSD["integer"]: Kind.NUMBER,
    XSD["decimal"]: Kind.NUMBER,
    XSD["boolean"]: Kind.YES_NO,
}


@dataclass(frozen=True)
class Template:
    """A sheet to fill: its columns, the identifier first, then the order of the page."""

    sheet: Sheet
    members: tuple[Member, ...]
    columns: tuple[Column, ...]

    @property
    def lists(self) -> dict[str, tuple[str, ...]]:
        return {each.list_name: each.choices for each in self.columns if each.choices}


def template(
    sheet: Sheet,
    schema: Schema,
    languages: tuple[str, ...] = ("fr",),
    classes: frozenset[NamedNode] = frozenset(),
) -> Template:
    """Return a sheet's template.

    Args:
        languages: "fr", and "en" for a second column beside each text.
        classes: Classes entered in sheets of their own that are wanted here as well.
    """
    made = members(sheet, schema)
    kept = _kept(sheet, schema, classes)
    columns = [Column(IDENTIFIER)]
    seen = {heading(IDENTIFIER)}
    for place, member in enumerate(made):
        for shape in _asked(sheet, member, kept, schema):
            if heading(shape.name.fr) not in seen:
                seen.add(heading(shape.name.fr))
                required = place == 0 and shape.min_count > 0 and shape.default is None
                column = Column(shape.name.fr, shape, "fr", required)
                columns.extend(_spoken(column, member, languages, schema))
    return Template(sheet, made, tuple(columns))


def _kept(sheet: Sheet, schema: Schema, wanted: frozenset[NamedNode]) -> frozenset[NamedNode]:
    """Return the main classes but those that another sheet is made for."""
    others = {schema.shapes[s.row].target for s in schema.sheets.values() if s is not sheet}
    classes = schema.concrete(schema.shapes[sheet.row].target or sheet.row)
    own = [each for each in classes if each not in others]
    return frozenset(own or classes) | wanted


def _asked(
    sheet: Sheet, member: Member, kept: frozenset[NamedNode], schema: Schema
) -> list[PropertyShape]:
    """Return what is asked of a person: not the links and types that a row implies."""
    links = {iri for part in sheet.parts for iri in (part.link, part.inverse_link)}
    is_part = member.shape.iri != sheet.row
    used = {
        shape.iri
        for class_ in member.classes
        if is_part or class_ in kept
        for shape in schema.properties_of(class_)
    }
    found = [
        shape
        for shape in member.properties
        if shape.iri in used
        and not (is_part and shape.iri in links)
        and not (shape.predicate == A and len(member.classes) == 1)
    ]
    return sorted(found, key=schema.place)


def _spoken(
    column: Column, member: Member, languages: tuple[str, ...], schema: Schema
) -> Iterator[Column]:
    """Yield a column with its list, and the one in English beside it."""
    assert column.shape is not None
    name, choices = _choices(column.shape, member, schema)
    yield replace(column, list_name=name, choices=choices)
    if "en" in languages and RDF["langString"] in column.shape.datatypes:
        yield Column(column.name + ENGLISH, column.shape, "en")


def _choices(shape: PropertyShape, member: Member, schema: Schema) -> tuple[str, tuple[str, ...]]:
    """Return the name and the values of a column's list, none if anything may stand in it."""
    if shape.predicate == A:
        labels = (schema.classes[c].label.fr for c in member.classes if c in schema.classes)
        return f"Liste_{_name(member.shape.iri.value)}", tuple(labels)
    if shape.scheme is not None:
        return f"Liste_{_name(shape.scheme.value)}", _concepts(shape.scheme, schema)
    if XSD["boolean"] in shape.datatypes:
        return "Liste_oui_non", ("oui", "non")
    return "", ()


def _name(iri: str) -> str:
    last = iri.rstrip("/").rpartition("/")[2].rpartition("#")[2]
    return folded(last).replace(" ", "_")


def _concepts(scheme: NamedNode, schema: Schema) -> tuple[str, ...]:
    """Return the French labels of a scheme's concepts."""
    inside = {t.subject for t in schema.graph if (t.predicate, t.object) == (IN_SCHEME, scheme)}
    labels = (t.object for t in schema.graph if t.subject in inside and t.predicate == LABEL)
    spoken = (each for each in labels if isinstance(each, Literal) and each.language == "fr")
    return tuple(sorted((each.value for each in spoken), key=folded))
