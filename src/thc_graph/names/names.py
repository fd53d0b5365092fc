"""Names: which published things a cell may mean, by IRI, code or exact label.

Nothing is guessed: one candidate of the expected type is a reference, none or
several are a fault that lists what could have been meant.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

from pyoxigraph import NamedNode
from rapidfuzz import fuzz, process

from thc_graph.names import keys, words
from thc_graph.names.lexicon import Lexicon, Types
from thc_graph.names.words import folded
from thc_graph.rdf import iris
from thc_graph.rdf.terms import THC
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape

_QUALIFIED = re.compile(r"(.+?)\s*\(([^()]+)\)")
_WIDTHS = {"commune": 5, "arrondissement-municipal": 5, "departement": 2, "region": 2}
_DEPARTEMENT = THC["Departement"]
_TERRITORY = THC["Territoire"]
_MOST = 5  # candidates told
_ALIKE = 78  # of 100: rapidfuzz's ratio under which two words are not alike


@dataclass
class Names:
    """All names known: published ones, looked up as they are asked for, and those being read.

    `departement` gives the code of the département a published thing lies in, ""
    where there is none; it is asked only of homonyms. `authorities` gives what runs a
    place; it is asked only for candidates.
    """

    schema: Schema
    base: str
    lexicon: Lexicon
    departement: Callable[[NamedNode], str] = field(default=lambda _: "")
    authorities: Callable[[NamedNode], Iterable[NamedNode]] = field(default=lambda _: ())
    _types: dict[NamedNode, Types] = field(default_factory=dict)  # classes, schemes
    _labels: dict[NamedNode, str] = field(default_factory=dict)
    _named: dict[str, set[NamedNode]] = field(default_factory=dict)
    _told: dict[tuple[str, NamedNode], list[str]] = field(default_factory=dict)
    _expectations: dict[NamedNode, Types] = field(default_factory=dict)
    _pools: dict[Types, dict[str, list[NamedNode]]] = field(default_factory=dict)

    def types(self, iri: NamedNode) -> Types:
        """Return the classes and schemes of a thing; none, if it is not known."""
        found = self._types.get(iri)
        if found is None:
            thing = self.lexicon.thing(iri)
            found = self._types[iri] = thing.types if thing else frozenset()
            if thing and thing.label is not None:
                self._labels.setdefault(iri, thing.label)
        return found

    def label(self, iri: NamedNode) -> str | None:
        self.types(iri)
        return self._labels.get(iri)

    def things(self, expected: Types) -> set[NamedNode]:
        """Return everything of one of some types."""
        own = {iri for iri, types in self._types.items() if not expected.isdisjoint(types)}
        return own.union(self.lexicon.of(expected))

    def add(self, iri: NamedNode, types: Types, names: Iterable[str]) -> None:
        """Make a thing known; the first name given is its label."""
        old = self.types(iri)
        if not types <= old:
            self._types[iri] = old | types if old else types
        for name in names:
            self._labels.setdefault(iri, name)
            self.call(iri, name)

    def call(self, iri: NamedNode, name: str) -> None:
        """Make another name of a thing known."""
        self._bearing(folded(name)).add(iri)

    def find(self, text: str, shape: PropertyShape, departement: str = "") -> list[NamedNode]:
        """Return what a cell may mean: published things of the type the property expects.

        Homonyms are told apart by `departement`, a code or a name, where it is given.
        """
        return self._find(text, self._expected(shape), departement)

    def territories(self, text: str) -> list[NamedNode]:
        """Return the territories that a text may mean."""
        return self._find(text, frozenset(self.schema.descendants(_TERRITORY)), "")

    def _find(self, text: str, expected: Types, departement: str) -> list[NamedNode]:
        found = self._by_iri(text, expected) or self._by_code(text, expected)
        found = found or self.called(text, expected) or self._qualified(text, expected)
        if len(found) > 1 and departement:
            code = self._departement_code(departement)
            found = {iri for iri in found if self._lies_in(iri, code)} or found
        return sorted(found, key=lambda iri: iri.value) if len(found) > 1 else list(found)

    def called(self, text: str, expected: Types) -> set[NamedNode]:
        """Return the things of these types that bear exactly this name or code."""
        found = self._bearing(folded(text))
        return {iri for iri in found if self._is(iri, expected)}

    def _bearing(self, word: str) -> set[NamedNode]:
        found = self._named.get(word)
        if found is None:
            found = self._named[word] = self.lexicon.called(word)
        return found

    def key(self, iri: NamedNode) -> str:
        """Return the key of a thing: the last part of its IRI."""
        return iri.value.rpartition("/")[2]

    def describe(self, iri: NamedNode) -> str:
        """Return a candidate as a person may write it: its label, and its code in brackets."""
        place = iris.kind_and_key(iri.value, self.base)
        label = self.label(iri) or iri.value
        return f"{label} ({place[1]})" if place else label

    def near(self, text: str, shape: PropertyShape, departement: str = "") -> list[str]:
        """Return names of the expected type spelt almost so, or that this one opens.

        A former name often opens the new one: Grigny, « Grigny (69) », is now
        Grigny-sur-Rhône. Where an authority is expected, it may be called by its place.
        Looked for once a word.
        """
        parts = _QUALIFIED.fullmatch(text.strip())
        name, place = (parts[1], parts[2]) if parts else (text, departement)
        key = f"{folded(name)}|{folded(place)}", shape.iri
        if key not in self._told:
            expected = self._expected(shape)
            found = [*self._spelt_so(folded(name), place, expected), *self._run(name, expected)]
            self._told[key] = list(dict.fromkeys(map(self.describe, found)))[:_MOST]
        return self._told[key]

    def _spelt_so(self, word: str, place: str, expected: Types) -> list[NamedNode]:
        """Return what bears a name like this one; what lies in the place given comes first."""
        pool = self._pool(expected)
        holding = sorted(each for each in pool if word and f" {word} " in f" {each} ")
        opened = [each for each in holding if each.startswith(f"{word} ")]
        named = [*self._alike(word, pool), *opened, *holding]
        found = [iri for each in named for iri in pool[each]]
        code = self._departement_code(place) if place else ""
        return sorted(found, key=lambda iri: not (code and self._lies_in(iri, code)))

    def _run(self, name: str, expected: Types) -> list[NamedNode]:
        """Return the authorities of the places that a name or a code may mean."""
        territories = frozenset(self.schema.descendants(_TERRITORY))
        if not territories.isdisjoint(expected):
            return []
        found = self._find(name, territories, "")
        if not found:
            pool = self._pool(territories)
            found = [iri for each in self._alike(folded(name), pool) for iri in pool[each]]
        running = (each for iri in found[:_MOST] for each in self.authorities(iri))
        return [each for each in running if self._is(each, expected)]

    def _alike(self, word: str, pool: Iterable[str]) -> list[str]:
        words = list(pool)  # of a mapping, rapidfuzz would read the values
        found = process.extract(word, words, scorer=fuzz.ratio, limit=_MOST, score_cutoff=_ALIKE)
        return [each for each, _, _ in found]

    def _pool(self, expected: Types) -> dict[str, list[NamedNode]]:
        """Return the things of these types by folded name."""
        if expected not in self._pools:
            pool = self._pools[expected] = {}
            own = ((name, iri) for name, found in self._named.items() for iri in found)
            mine = ((name, iri) for name, iri in own if self._is(iri, expected))
            for name, iri in dict.fromkeys(chain(self.lexicon.words(expected), mine)):
                pool.setdefault(name, []).append(iri)
        return self._pools[expected]

    def members(self, shape: PropertyShape) -> list[str]:
        """Return the labels of a scheme's concepts."""
        key = "", shape.iri
        if key not in self._told:
            self._told[key] = sorted(
                filter(None, map(self.label, self.things(self._expected(shape))))
            )
        return self._told[key]

    def _expected(self, shape: PropertyShape) -> Types:
        found = self._expectations.get(shape.iri)
        if found is None:
            if shape.scheme is not None:
                found = frozenset({shape.scheme})
            else:
                found = frozenset(c for e in shape.classes for c in self.schema.descendants(e))
            self._expectations[shape.iri] = found
        return found

    def _is(self, iri: NamedNode, expected: Types) -> bool:
        return not expected or not expected.isdisjoint(self.types(iri))

    def _by_iri(self, text: str, expected: Types) -> set[NamedNode]:
        if "/" not in text:
            return set()
        iri = _node(text.strip() if "://" in text else f"{self.base}/id/{text.strip()}")
        return {iri} if iri and self.types(iri) and self._is(iri, expected) else set()

    def _by_code(self, text: str, expected: Types) -> set[NamedNode]:
        """Match a key; a code that lost its leading zero is completed to the type's length.

        A text with a "/" may be a key as it stands: those of former imports are no slugs.
        """
        key = _code(text) if text[:1].isdigit() or text[:1] == "'" else keys.key(text)
        kinds = {k for each in expected for k in (self.schema.kind_of(each),) if k}
        found: set[NamedNode] = set()
        for kind in kinds if key else ():
            padded = key.zfill(_WIDTHS.get(kind, 0)) if key.isdigit() else key
            for code in {key, padded, text.strip() if "/" in text else key}:
                iri = _node(f"{self.base}/id/{kind}/{code}")
                if iri and self.types(iri) and self._is(iri, expected):
                    found.add(iri)
        return found

    def _qualified(self, text: str, expected: Types) -> set[NamedNode]:
        """Match « Saillans (26) », « Saillans (Drôme) » or « Saillans (26289) »."""
        parts = _QUALIFIED.fullmatch(text.strip()) if text.endswith(")") else None
        if not parts:
            return set()
        found = self.called(parts[1], expected)
        return {
            i
            for i in found
            if self.key(i) == parts[2] or self._lies_in(i, self._departement_code(parts[2]))
        }

    def _lies_in(self, iri: NamedNode, departement: str) -> bool:
        """Say whether a thing lies in a département; a commune's code opens with its own."""
        kind = iris.kind_and_key(iri.value, self.base)
        if kind and kind[0] in {"commune", "arrondissement-municipal", "departement"}:
            return kind[1].startswith(departement)
        return bool(departement) and self.departement(iri) == departement

    def _departement_code(self, text: str) -> str:
        expected = frozenset({_DEPARTEMENT})
        found = self._by_code(text, expected) or self.called(text, expected)
        return self.key(next(iter(found))) if len(found) == 1 else text


def _code(text: str) -> str:
    return words.code(re.sub(r"\s", "", text)) or ""


def _node(iri: str) -> NamedNode | None:
    try:
        return NamedNode(iri)
    except ValueError:
        return None
