"""Names: which published things a cell may mean, by IRI, code or exact label.

Nothing is guessed: one candidate of the expected type is a reference, none or
several are a fault that lists what could have been meant.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from pyoxigraph import NamedNode

from thc_graph.rdf import iris
from thc_graph.rdf.terms import THC
from thc_graph.schema.model import PropertyShape, Schema
from thc_graph.sheets.words import folded

_QUALIFIED = re.compile(r"(.+?)\s*\(([^()]+)\)")


@dataclass
class Names:
    """All names known, published ones and those of the rows being read."""

    schema: Schema
    base: str
    types: dict[NamedNode, set[NamedNode]] = field(default_factory=dict)  # classes, schemes
    by_name: dict[str, set[NamedNode]] = field(default_factory=dict)
    labels: dict[NamedNode, str] = field(default_factory=dict)
    _told: dict[tuple[str, NamedNode], list[str]] = field(default_factory=dict)

    def add(self, iri: NamedNode, types: Iterable[NamedNode], names: Iterable[str]) -> None:
        """Make a thing known; the first name given is its label."""
        self.types.setdefault(iri, set()).update(types)
        for name in names:
            self.labels.setdefault(iri, name)
            self.by_name.setdefault(folded(name), set()).add(iri)

    def find(self, text: str, shape: PropertyShape) -> list[NamedNode]:
        """Return what a cell may mean: published things of the type the property expects."""
        expected = self._expected(shape)
        found = self._by_iri(text, expected) or self._by_code(text, expected)
        found = found or self._by_label(text, expected) or self._qualified(text, expected)
        return sorted(found, key=lambda iri: iri.value)

    def describe(self, iri: NamedNode) -> str:
        """Return a candidate as a person may write it: its label, and its code in brackets."""
        place = iris.kind_and_key(iri.value, self.base)
        label = self.labels.get(iri, iri.value)
        return f"{label} ({place[1]})" if place else label

    def near(self, text: str, shape: PropertyShape, most: int = 5) -> list[str]:
        """Return names of the expected type that are spelt almost so; looked for once a word."""
        key = folded(text), shape.iri
        if key not in self._told:
            self._told[key] = self._near(text, shape, most)
        return self._told[key]

    def _near(self, text: str, shape: PropertyShape, most: int) -> list[str]:
        expected, word = self._expected(shape), folded(text)
        pool = {
            name: iri
            for name, found in self.by_name.items()
            if name[:1] == word[:1]
            for iri in found
            if self._is(iri, expected)
        }
        return [self.describe(pool[name]) for name in get_close_matches(word, pool, most, 0.75)]

    def members(self, shape: PropertyShape) -> list[str]:
        """Return the labels of a scheme's concepts."""
        key = "", shape.iri
        if key not in self._told:
            concepts = (iri for iri, types in self.types.items() if shape.scheme in types)
            self._told[key] = sorted(self.labels[iri] for iri in concepts)
        return self._told[key]

    def _expected(self, shape: PropertyShape) -> frozenset[NamedNode]:
        if shape.scheme is not None:
            return frozenset({shape.scheme})
        return frozenset(c for each in shape.classes for c in self.schema.descendants(each))

    def _is(self, iri: NamedNode, expected: frozenset[NamedNode]) -> bool:
        return not expected or not expected.isdisjoint(self.types.get(iri, ()))

    def _by_iri(self, text: str, expected: frozenset[NamedNode]) -> set[NamedNode]:
        whole = text if "://" in text else f"{self.base}/id/{text}"
        try:
            iri = NamedNode(whole.strip())
        except ValueError:
            return set()
        return {iri} if iri in self.types and self._is(iri, expected) else set()

    def _by_code(self, text: str, expected: frozenset[NamedNode]) -> set[NamedNode]:
        """Match a key; a code that lost its leading zero is completed to the type's length."""
        key = re.sub(r"\s", "", text).upper() if text[:1].isdigit() else iris.slug(text)
        kinds = {k for each in expected for k in (self.schema.kind_of(each),) if k}
        found: set[NamedNode] = set()
        for kind in kinds if key else ():
            for code in dict.fromkeys((key, key.zfill(_WIDTHS.get(kind, 0)))):
                iri = _node(f"{self.base}/id/{kind}/{code}")
                if iri in self.types and self._is(iri, expected):
                    found.add(iri)
        return found

    def _by_label(self, text: str, expected: frozenset[NamedNode]) -> set[NamedNode]:
        return {i for i in self.by_name.get(folded(text), ()) if self._is(i, expected)}

    def _qualified(self, text: str, expected: frozenset[NamedNode]) -> set[NamedNode]:
        """Match « Saillans (26) » or « Saillans (Drôme) ».

        A commune's code opens with its département's.
        """
        parts = _QUALIFIED.fullmatch(text.strip())
        if not parts:
            return set()
        found = self._by_label(parts[1], expected)
        code = self._departement(parts[2])
        return {i for i in found if i.value.rpartition("/")[2].startswith(code)}

    def _departement(self, text: str) -> str:
        expected = frozenset({THC["Departement"]})
        found = self._by_code(text, expected) or self._by_label(text, expected)
        return next(iter(found)).value.rpartition("/")[2] if len(found) == 1 else text


_WIDTHS = {"commune": 5, "arrondissement-municipal": 5, "departement": 2, "region": 2}


def _node(iri: str) -> NamedNode | None:
    try:
        return NamedNode(iri)
    except ValueError:
        return None
