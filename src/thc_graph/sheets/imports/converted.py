"""Converted: what a sheet says, as quads that know their cells, and what they replace."""

from dataclasses import dataclass, field
from functools import lru_cache

from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.schema.shapes import PropertyShape
from thc_graph.sheets.problems import Cell, Problem

Fact = tuple[NamedNode, NamedNode]  # subject, property


@dataclass
class Conversion:
    """What a sheet says.

    `filled` are the properties of each subject whose cells hold something, with the
    languages of their columns: their former values in the same graph are replaced, as
    far as `replaces` says.
    `origins` also knows the empty cells, so that a missing value is shown in the
    cell to fill.
    """

    quads: set[Quad] = field(default_factory=set)
    filled: dict[NamedNode, dict[NamedNode, frozenset[str]]] = field(default_factory=dict)
    origins: dict[NamedNode, dict[NamedNode, Cell]] = field(default_factory=dict)
    rows: dict[NamedNode, Cell] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    owners: dict[Fact, set[NamedNode]] = field(default_factory=dict)
    rivals: dict[NamedNode, list[PropertyShape]] = field(default_factory=dict)

    def fill(self, subject: NamedNode, predicate: NamedNode, *languages: str) -> None:
        """Note that a cell, of columns of these languages, says something of a property."""
        filled = self.filled.setdefault(subject, {})
        filled[predicate] = _shared(filled.get(predicate, frozenset()).union(languages))

    def replaces(self, quad: Quad) -> bool:
        """Say whether a published fact gives way to what this sheet's cells hold.

        A column of one language leaves the other languages alone. Where several columns
        fill one property (GeoNames, Wikidata, other links), each replaces only the values
        that it could have written.
        """
        subject, predicate = quad.subject, quad.predicate
        if not isinstance(subject, NamedNode):
            return False
        languages = self.filled.get(subject, {}).get(predicate)
        if languages is None:
            return False
        if isinstance(quad.object, Literal) and quad.object.language:
            return quad.object.language in languages
        rivals, owners = self.rivals.get(predicate, []), self.owners.get((subject, predicate))
        if len(rivals) < 2 or owners is None:  # noqa: PLR2004
            return True
        return _writer(quad.object, rivals) in owners


@lru_cache(maxsize=1 << 6)
def _shared(languages: frozenset[str]) -> frozenset[str]:
    """Return one and the same set for all that are equal: a million facts have few."""
    return languages


def _writer(term: object, rivals: list[PropertyShape]) -> NamedNode | None:
    """Return the property whose column a value comes from: by template, else the plain one."""
    value = str(getattr(term, "value", ""))
    plain = None
    for shape in rivals:
        prefix = (shape.value_template or "").partition("{}")[0]
        if not prefix:
            plain = shape.iri
        elif value.startswith(prefix):
            return shape.iri
    return plain
