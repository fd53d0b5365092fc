"""Documents: what the index keeps of an entity, read from its facts and its shapes."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from thc_graph.rdf.terms import DCT, OWL, RDFS, SKOS, THC, VOCABULARY, XSD, A, Term, day_of, text_in
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import PropertyShape
from thc_graph.search.words import composed, key, sort_key

NAMES: Final = (RDFS["label"], SKOS["prefLabel"], DCT["title"])
OTHER_NAMES: Final = (SKOS["altLabel"], SKOS["hiddenLabel"])
_ALL_NAMES: Final = frozenset((*NAMES, *OTHER_NAMES))
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
Said = tuple[NamedNode, str, str | None]  # a text: its property, itself, its language
Reach = Callable[[NamedNode, NamedNode], Iterable[NamedNode]]  # (value, property) → values
_EXACT: Final = re.compile(r"[0-9a-z]+")


def facet_field(slug: str) -> str:
    """Return the field that holds the values of a facet, as SPARQL writes them."""
    return f"facet_{slug}"


class Documents:
    """Makes documents by one schema; `reach` follows a property from one entity to others.

    Some 75 000 are made of France in a row: what many entities share (classes, places,
    years) is worked out once. Nothing here leads back to itself: `reach` holds the engine of
    a draft, which must close when its writer is done and not when the collector comes.
    """

    def __init__(self, schema: Schema, reach: Reach) -> None:
        self.reach = lru_cache(maxsize=100_000)(lambda *step: tuple(reach(*step)))
        self.kinds = lru_cache(maxsize=None)(partial(_kinds, schema))
        self.facets = lru_cache(maxsize=None)(partial(_facets, schema))
        self.reached: dict[tuple[NamedNode, Term], tuple[str, ...]] = {}
        self.texts = frozenset(schema.texts)

    def document(self, entity: NamedNode, facts: Iterable[Triple | Quad]) -> dict[str, Any] | None:
        """Return the fields of an entity, None for what is not searched for."""
        values: dict[NamedNode, list[Term]] = defaultdict(list)
        for fact in facts:
            values[fact.predicate].append(fact.object)
        classes = tuple(each for each in values.get(A, ()) if isinstance(each, NamedNode))
        kinds = self.kinds(classes, is_word=entity.value.startswith(VOCABULARY))
        if not kinds:
            return None
        said = list(_said(values))
        return {
            "iri": [entity.value],
            "kind": list(kinds),
            **_names(entity, said),
            **self._texts(said),
            **_codes(entity, said),
            **self._narrowing(self.facets(classes), values),
            **_measures(values),
            "ends": [_day(values, ENDS) or NEVER],
            "told": [_day(values, TOLD)],
        }

    def _texts(self, said: Iterable[Said]) -> dict[str, Any]:
        texts: dict[str, list[str]] = {"text_fr": [], "text_en": []}
        words: set[str] = set()
        for predicate, text, language in said:
            if predicate in self.texts:
                words.add(text)
            if language and predicate not in NAMES:
                texts["text_en" if language.startswith("en") else "text_fr"].append(text)
        return {
            "words": sorted(words),
            **{field: [" · ".join(found)] for field, found in texts.items() if found},
        }

    def _narrowing(self, shapes: Iterable[PropertyShape], values: Values) -> dict[str, Any]:
        """Return facet values, the places an entity stands at, and its date."""
        facets, places, date = defaultdict[str, set[str]](set), set[str](), ""
        for shape in shapes:
            for value in values.get(shape.predicate, ()):
                facets[facet_field(shape.slug)].update(self._reached(shape, value))
                if shape.facet_along and isinstance(value, NamedNode):
                    places.add(value.value)
                if shape.is_date and isinstance(value, Literal):
                    date = max(date, value.value)
        for body in values.get(AUTHORITY, ()):  # what an authority does, its territory does
            if isinstance(body, NamedNode):
                places.update(each.value for each in self.reach(body, GOVERNS))
        within = {each.value for each in values.get(WITHIN, ()) if isinstance(each, NamedNode)}
        return {
            **{field: sorted(found) for field, found in facets.items()},
            "at": sorted(places),
            "within": sorted(within),
            "date": [date],
        }

    def _reached(self, shape: PropertyShape, value: Term) -> tuple[str, ...]:
        """Return the facet values that find a value: its own, and those it lies within."""
        key = shape.iri, value
        if key not in self.reached:
            own = shape.facet_value(value)
            along = shape.facet_along if isinstance(value, NamedNode) else None
            around = self.reach(value, along) if along else ()
            found = (*around, *((own,) if own is not None else ()))
            self.reached[key] = tuple(map(str, found))
        return self.reached[key]


def _kinds(schema: Schema, classes: tuple[NamedNode, ...], *, is_word: bool) -> tuple[str, ...]:
    """Return the kinds of list an entity stands in; the words of vocabularies have one."""
    kinds = dict.fromkeys(kind for each in classes if (kind := schema.kind_of(each)))
    if SKOS["ConceptScheme"] in classes:
        return (*kinds, "voc")
    if not kinds and is_word and any(each in classes for each in _VOCABULARY_CLASSES):
        return (WORDS,)
    return tuple(kinds)


def _facets(schema: Schema, classes: tuple[NamedNode, ...]) -> tuple[PropertyShape, ...]:
    shapes = (shape for each in classes for shape in schema.facets_of(each))
    return tuple({shape.iri: shape for shape in shapes}.values())


def _said(values: Values) -> Iterator[Said]:
    """Yield the literals that are texts: with a language, or plain strings."""
    for predicate, found in values.items():
        for value in found:
            if isinstance(value, Literal) and (value.language or value.datatype == STRING):
                yield predicate, composed(value.value), value.language


def _codes(entity: NamedNode, said: Iterable[Said]) -> dict[str, Any]:
    codes = {entity.value.rpartition("/")[2].casefold()}
    postcodes = set[str]()
    for predicate, text, language in said:
        if not language and _CODE.fullmatch(text):
            (postcodes if predicate == POSTCODE else codes).add(text.casefold())
    return {"code": sorted(codes), "postcode": sorted(postcodes)}


def _names(entity: NamedNode, said: Iterable[Said]) -> dict[str, Any]:
    told = [each for each in said if each[0] in _ALL_NAMES]
    names = [Literal(text, language=language) for p, text, language in told if p in NAMES]
    # A name of its own comes before others it goes by.
    written = [text for _, text, _ in sorted(told, key=lambda each: each[0] in OTHER_NAMES)]
    found: dict[str, Any] = {"name": written, "exact": sorted(set(map(_key, written)))}
    for language in ("fr", "en"):
        best = text_in(names, language) if len(names) > 1 else next(iter(names), None)
        spoken = best.value if best else ""
        # An empty name comes last; the IRI makes the order whole.
        order = f"{sort_key(spoken) or chr(0x10FFFF)}\0{entity.value}"
        found[f"label_{language}"] = [f"{best.language or ''}|{best.value}"] if best else []
        found[f"order_{language}"] = [order]
    return found


def _key(name: str) -> str:
    """Return the key of a name; of letters without accents, the short way."""
    return " ".join(_EXACT.findall(name.lower())) if name.isascii() else key(name)


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
