"""Shown: what the index keeps of an entity to name it and to place it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import Literal

from thc_graph.rdf.terms import text_in

COORDINATES: Final = ("lat", "long")
SHOWN: Final = ("iri", "kind", "label_fr", "label_en", "at", "within", "postcode", *COORDINATES)

Document = Mapping[str, list[Any]]  # the stored fields of an entity, of those shown


@dataclass(frozen=True)
class Place:
    """An entity as the index shows it."""

    iri: str
    kinds: tuple[str, ...]
    label: Literal | None
    at: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    point: tuple[float, float] | None = None


def place_of(document: Document, language: str) -> Place:
    point = [document[each][0] for each in COORDINATES if document.get(each)]
    return Place(
        iri=document["iri"][0],
        kinds=tuple(document["kind"]),
        label=label_of(document, language),
        at=tuple(document.get("at", ())),
        within=tuple(document.get("within", ())),
        postcodes=tuple(document.get("postcode", ())),
        point=(point[0], point[1]) if len(point) == len(COORDINATES) else None,
    )


def around(place: Place, others: Mapping[str, Place]) -> tuple[float, float] | None:
    """Return where a place is, else where the first of those it stands at is."""
    points = (others[each].point for each in place.at if each in others)
    return place.point or next((point for point in points if point), None)


def label_of(document: Document, language: str) -> Literal | None:
    """Return the name best read in a language, as it was stored: `language|text`."""
    stored = (each for name in ("fr", "en") for each in document.get(f"label_{name}", ()))
    parts = (each.partition("|") for each in stored)
    return text_in([Literal(text, language=tag or None) for tag, _, text in parts], language)
