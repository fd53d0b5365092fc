"""Structured data: what a page is about, in the words of schema.org, for search engines.

Only what is true of every one of our class is said: a commitment has no word there.
Nothing is sent elsewhere: it is a block of data in the page.
"""

from collections.abc import Iterator
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from thc_graph.entities.model import Entity
from thc_graph.rdf.terms import DCAT, DCT, FOAF, PREFIXES, RDFS, SKOS, THC, Namespace, Term
from thc_graph.schema.model import Schema

SCHEMA: Final = Namespace(PREFIXES["schema"])
GEO: Final = Namespace(PREFIXES["geo"])
ANYTHING: Final = "Thing"
TYPES: Final = {
    THC["Territoire"]: "AdministrativeArea",
    THC["Organisation"]: "Organization",
    THC["Collectivite"]: "GovernmentOrganization",
    THC["Personne"]: "Person",
    THC["Evenement"]: "Event",
    THC["SerieEvenements"]: "EventSeries",
    THC["Fiche"]: "CreativeWork",
    SKOS["Concept"]: "DefinedTerm",
    SKOS["ConceptScheme"]: "DefinedTermSet",
    DCAT["Dataset"]: "Dataset",
}
# theirs → ours, the first that is there
SAID: Final = {
    "description": (DCT["description"], DCT["abstract"], THC["objectif"], SKOS["definition"]),
    "alternateName": (SKOS["altLabel"],),
    "slogan": (SCHEMA["slogan"],),
    "startDate": (SCHEMA["startDate"], THC["debut"]),
    "endDate": (SCHEMA["endDate"], THC["fin"]),
    "foundingDate": (SCHEMA["foundingDate"],),
    "url": (FOAF["homepage"],),
    "sameAs": (RDFS["seeAlso"], SKOS["closeMatch"], SKOS["exactMatch"]),
}


def structured(schema: Schema, entity: Entity, base: str, path: str) -> dict[str, Any]:
    """Return the JSON-LD block of an entity's page."""
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@id": entity.iri.value,
        "@type": sorted(set(_types(schema, entity))) or ANYTHING,
        "name": entity.name or entity.iri.value,
        "mainEntityOfPage": f"{base}{path}",
    }
    for name, properties in SAID.items():
        said = [_text(v.term) for each in properties for v in entity.values(each)]
        if said:
            found[name] = said if name in ("alternateName", "sameAs") else said[0]
    latitude, longitude = (entity.values(GEO[each]) for each in ("lat", "long"))
    if latitude and longitude:
        place = (_text(latitude[0].term), _text(longitude[0].term))
        found["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": place[0],
            "longitude": place[1],
        }
    return found


def _types(schema: Schema, entity: Entity) -> Iterator[str]:
    for each in entity.classes:
        above = schema.ancestors(each.term) if isinstance(each.term, NamedNode) else ()
        yield from (TYPES[name] for name in above if name in TYPES)


def _text(term: Term) -> str:
    return term.value if isinstance(term, Literal | NamedNode) else str(term)
