"""References: the published thing a cell means, or who could have been meant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyoxigraph import NamedNode

from thc_graph.names.names import Names
from thc_graph.names.words import folded
from thc_graph.rdf import iris
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape, Text
from thc_graph.sheets.cells import cleaning
from thc_graph.sheets.imports.cells import Cells
from thc_graph.sheets.problems import Cell, Unreadable, message, note, warning
from thc_graph.sheets.tables import escaping
from thc_graph.sheets.tables.reading import Row

_DISTRICT = "arrondissement-municipal"


@dataclass
class References:
    """Reads the references of one table, once every entity of the publication is named."""

    cells: Cells
    names: Names
    schema: Schema
    _plain: dict[tuple[NamedNode, str, str], NamedNode] = field(default_factory=dict)

    def read(self, text: str, shape: PropertyShape, row: Row, cell: Cell) -> Iterator[NamedNode]:
        """Yield the things a value means: one, or several where commas stand between codes."""
        departement = self.cells.departement(row)
        plain = self._plain.get((shape.iri, text, departement))
        if plain is not None:
            yield plain
        else:
            told = len(self.cells.problems)
            found = list(self._read(text, shape, row, cell))
            if len(found) == 1 and told == len(self.cells.problems):
                self._plain[shape.iri, text, departement] = found[0]
            yield from found

    def _read(self, text: str, shape: PropertyShape, row: Row, cell: Cell) -> Iterator[NamedNode]:
        try:
            cleaning.refuse_unreadable(text)
        except Unreadable as fault:
            self.cells.unreadable(cell, text, fault)
            return
        text = escaping.plain(text)
        found = self.names.find(text, shape, self.cells.departement(row))
        if len(found) == 1:
            self._tell_code(text, found[0], cell)
            yield found[0]
        elif found:
            told = tuple(self.names.describe(each) for each in found)
            self.cells.fault(cell, text, "ambiguous-reference", told)
        elif "," in text and shape.is_multiple and self._any_known(text, shape):
            for part in filter(None, map(str.strip, text.split(","))):
                yield from self.read(part, shape, row, cell)
        elif shape.scheme is not None:
            self.cells.fault(cell, text, "unknown-concept", tuple(self.names.members(shape)))
        else:
            self._refuse(text, shape, row, cell)

    def _any_known(self, text: str, shape: PropertyShape) -> bool:
        return any(self.names.find(part.strip(), shape) for part in text.split(",") if part.strip())

    def _tell_code(self, text: str, iri: NamedNode, cell: Cell) -> None:
        """Tell a code that was completed, cleaned, or that is now another's."""
        if not text[:1].isdigit() and text[:1] != "'":
            return
        key = self.names.key(iri)
        plain = re.sub(r"\s", "", text)
        if f"/{_DISTRICT}/" in iri.value:
            self.cells.say(cell, text, warning("district", value=self.names.describe(iri)))
        if text == key or folded(text) == folded(self.names.label(iri) or ""):
            return
        if text.isdigit() and text != key and text.lstrip("0") == key.lstrip("0"):
            self.cells.say(cell, text, note("padded", value=key))
        elif plain.isalnum() and len(plain) == len(key) and plain.upper() != key.upper():
            told = self.names.describe(iri)
            self.cells.say(cell, text, warning("former-code", value=told))
        elif iris.kind_and_key(iri.value, self.names.base):
            self.cells.say(cell, text, note("cleaned", value=self.names.describe(iri)))

    def _refuse(self, text: str, shape: PropertyShape, row: Row, cell: Cell) -> None:
        near = tuple(self.names.near(text, shape, self.cells.departement(row)))
        suggestion = message("did-you-mean" if near else "create-first", candidates=", ".join(near))
        labels = [c.label for iri in shape.classes if (c := self.schema.classes.get(iri))]
        expected = Text(
            fr=" ou ".join(each.fr for each in labels), en=" or ".join(each.en for each in labels)
        )
        facts = {"expected": expected, "suggestion": suggestion}
        self.cells.fault(cell, text, "unknown-reference", near, **facts)
