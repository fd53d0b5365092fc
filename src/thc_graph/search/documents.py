"""Documents: what the index keeps of an entity, read from its facts and its shapes."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from thc_graph.rdf.terms import DCT, OWL, RDFS, SKOS, THC, VOCABULARY, XSD, A, Term, day_of, text_in
from thc_graph.schema.model import PropertyShape, Schema
from thc_graph.search.words import composed, key, sort_key

NAMES: Final = (RDFS["label"], SKOS["prefLabel"], DCT["title"])
OTHER_NAMES: Final = (SKOS["altLabel"], SKOS["hiddenLabel"])
POSTCODE: Final = THC["codePostal"]
POPULATION: Final = THC["population"]
POINT: Final = tuple(
    NamedNode(f"http://www.w3.org/2003/01/geo/wgs84_pos#{each}") for each in ("lat", "long")
)
WITHIN: Final = THC["situeDans"]
AUTHORITY: Final = THC["collectivite"]
GOVERNS: Final = THC["administre"]
SCHEMA: Final = "http://schema.org/"
# When a thing is over, the first that is said; and when something was last told of it.
ENDS: Final = (
    THC["echeanceRevisee"], THC["echeance"],
    NamedNode(f"{SCHEMA}endDate"), NamedNode(f"{SCHEMA}startDate"),
)  # fmt: skip
NEVER: Final = 99_999_999  # after every day
TOLD: Final = (THC["dateDernierSuivi"],)
STRING: Final = XSD["string"]
WORDS: Final = "concept"  # the kind of what only the vocabularies define
_VOCABULARY_CLASSES: Final = (
    SKOS["Concept"], OWL["Class"], OWL["ObjectProperty"], OWL["DatatypeProperty"],
)  # fmt: skip
_CODE: Final = re.compile(r"[0-9A-Za-z]{2,20}")

Values = Mapping[NamedNode, list[Term]]
Reach = Callable[[NamedNode, NamedNode], Iterable[NamedNode]]  # (value, property) → values


class Documents:
    """Makes documents by one schema; `reach` follows a property from one entity to others."""

    def __init__(self, schema: Schema, reach: Reach) -> None:
        self.schema = schema
        self.reach = lru_cache(maxsize=100_000)(lambda *step: tuple(reach(*step)))

        self.kinds = lru_cache(maxsize=None)(self._kinds)
        self.facets = lru_cache(maxsize=None)(self._facets_of)

    def document(self, entity: NamedNode, facts: Iterable[Triple | Quad]) -> dict[str, Any] | None:
        """Return the fields of an entity, None for what is not searched for."""
        values: dict[NamedNode, list[Term]] = defaultdict(list)
        for fact in facts:
            values[fact.predicate].append(fact.object)
        classes = tuple(each for each in values.get(A, ()) if isinstance(each, NamedNode))
        kinds = self.kinds(classes, is_word=entity.value.startswith(VOCABULARY))
        if not kinds:
            return None
        return {
            "iri": [entity.value],
            "kind": list(kinds),
            **_names(entity, values),
            **self._texts(values),
            **_codes(entity, values),
            **self._narrowing(self.facets(classes), values),
            **_measures(values),
            "ends": [_day(values, ENDS) or NEVER],
            "told": [_day(values, TOLD)],
        }

    def _kinds(self, classes: tuple[NamedNode, ...], *, is_word: bool) -> tuple[str, ...]:
        """Return the kinds of list an entity stands in; the words of vocabularies have one."""
        kinds = dict.fromkeys(kind for each in classes if (kind := self.schema.kind_of(each)))
        if SKOS["ConceptScheme"] in classes:
            return (*kinds, "voc")
        if not kinds and is_word and any(each in classes for each in _VOCABULARY_CLASSES):
            return (WORDS,)
        return tuple(kinds)

    def _facets_of(self, classes: tuple[NamedNode, ...]) -> tuple[PropertyShape, ...]:
        shapes = (shape for each in classes for shape in self.schema.facets_of(each))
        return tuple({shape.iri: shape for shape in shapes}.values())

    def _texts(self, values: Values) -> dict[str, Any]:
        texts: dict[str, list[str]] = {"text_fr": [], "text_en": []}
        words: set[str] = set()
        for predicate, found in values.items():
            for value in _literals(found):
                if predicate in self.schema.texts:
                    words.add(composed(value.value))
                if value.language and predicate not in NAMES:
                    field = "text_en" if value.language.startswith("en") else "text_fr"
                    texts[field].append(composed(value.value))
        return {
            "words": sorted(words),
            **{field: [" · ".join(found)] if found else [] for field, found in texts.items()},
        }

    def _narrowing(self, shapes: Iterable[PropertyShape], values: Values) -> dict[str, Any]:
        """Return facet values, the places an entity stands at, and its date."""
        facets, places, date = set[str](), set[str](), ""
        for shape in shapes:
            for value in values.get(shape.predicate, ()):
                facets.update(f"{shape.slug} {each}" for each in self.reached(shape, value))
                if shape.facet_along and isinstance(value, NamedNode):
                    places.add(value.value)
                if shape.is_date and isinstance(value, Literal):
                    date = max(date, value.value)
        for body in values.get(AUTHORITY, ()):  # what an authority does, its territory does
            if isinstance(body, NamedNode):
                places.update(each.value for each in self.reach(body, GOVERNS))
        within = {each.value for each in values.get(WITHIN, ()) if isinstance(each, NamedNode)}
        return {
            "facet": sorted(facets),
            "at": sorted(places),
            "within": sorted(within),
            "date": [date],
        }

    def reached(self, shape: PropertyShape, value: Term) -> Iterator[NamedNode | Literal]:
        """Yield the facet values that find a value: its own, and those it lies within."""
        own = shape.facet_value(value)
        if own is not None:
            yield own
        if shape.facet_along and isinstance(value, NamedNode):
            yield from self.reach(value, shape.facet_along)


def _codes(entity: NamedNode, values: Values) -> dict[str, Any]:
    codes = {entity.value.rpartition("/")[2].casefold()}
    for predicate, found in values.items():
        if predicate != POSTCODE:
            codes.update(code.casefold() for code in _coded(found))
    postcodes = set(_coded(values.get(POSTCODE, ())))
    return {"code": sorted(codes), "postcode": sorted(postcodes)}


def _names(entity: NamedNode, values: Values) -> dict[str, Any]:
    names = [each for name in NAMES for each in _literals(values.get(name, ()))]
    others = [each for name in OTHER_NAMES for each in _literals(values.get(name, ()))]
    found: dict[str, Any] = {
        "name": [composed(each.value) for each in (*names, *others)],
        "exact": sorted({key(each.value) for each in (*names, *others)}),
    }
    for language in ("fr", "en"):
        best = text_in(names, language)
        spoken = best.value if best else ""
        # An empty name comes last; the IRI makes the order whole.
        order = f"{sort_key(spoken) or chr(0x10FFFF)}\0{entity.value}"
        found[f"label_{language}"] = [f"{best.language or ''}|{best.value}"] if best else []
        found[f"order_{language}"] = [order]
    return found


def _measures(values: Values) -> dict[str, Any]:
    population = max((int(n) for n in _numbers(values.get(POPULATION, ()))), default=0)
    latitude, longitude = (list(_numbers(values.get(each, ())))[:1] for each in POINT)
    point = {"lat": latitude, "long": longitude} if latitude and longitude else {}
    # A town of a million weighs seven times a hamlet of one, not a million times.
    return {"population": [population], "weight": [len(str(population))], **point}


def _day(values: Values, properties: Iterable[NamedNode]) -> int:
    said = (each for name in properties for each in values.get(name, ()))
    return next((day_of(each.value) for each in said if isinstance(each, Literal)), 0)


def _numbers(values: Iterable[Term]) -> Iterator[float]:
    for value in values:
        if isinstance(value, Literal):
            try:
                yield float(value.value)
            except ValueError:
                continue


def _literals(values: Iterable[Term]) -> Iterator[Literal]:
    """Yield the literals that are texts: with a language, or plain strings."""
    for value in values:
        if isinstance(value, Literal) and (value.language or value.datatype == STRING):
            yield value


def _coded(values: Iterable[Term]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Literal) and value.datatype == STRING and _CODE.fullmatch(value.value):
            yield value.value
