"""Terms: the namespaces we speak, and literals in the languages people read."""

from collections.abc import Iterable
from typing import Final

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

Term = NamedNode | BlankNode | Literal | Triple


class Namespace(str):
    """A prefix for IRIs: `RDFS["label"]` is the node."""

    __slots__ = ()

    def __getitem__(self, name: str) -> NamedNode:  # type: ignore[override]
        return NamedNode(str(self) + name)


THC: Final = Namespace("https://w3id.org/thc/ns#")
VOCABULARY: Final = "https://w3id.org/thc/"  # ontology and schemes stand under it
RDF: Final = Namespace("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS: Final = Namespace("http://www.w3.org/2000/01/rdf-schema#")
OWL: Final = Namespace("http://www.w3.org/2002/07/owl#")
XSD: Final = Namespace("http://www.w3.org/2001/XMLSchema#")
SKOS: Final = Namespace("http://www.w3.org/2004/02/skos/core#")
SH: Final = Namespace("http://www.w3.org/ns/shacl#")
DASH: Final = Namespace("http://datashapes.org/dash#")
DCT: Final = Namespace("http://purl.org/dc/terms/")
DCAT: Final = Namespace("http://www.w3.org/ns/dcat#")
FOAF: Final = Namespace("http://xmlns.com/foaf/0.1/")
PROV: Final = Namespace("http://www.w3.org/ns/prov#")
VOID: Final = Namespace("http://rdfs.org/ns/void#")

PREFIXES: Final[dict[str, str]] = {
    "thc": THC,
    "do": VOCABULARY + "democratie-ouverte/",
    "rdf": RDF,
    "rdfs": RDFS,
    "owl": OWL,
    "xsd": XSD,
    "skos": SKOS,
    "dct": DCT,
    "dcat": DCAT,
    "foaf": FOAF,
    "prov": PROV,
    "org": "http://www.w3.org/ns/org#",
    "schema": "http://schema.org/",
    "igeo": "http://rdf.insee.fr/def/geo#",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
}

A: Final = RDF["type"]
LABELS: Final = (RDFS["label"], SKOS["prefLabel"])


def text_in(texts: Iterable[Literal], language: str) -> Literal | None:
    """Return the text best read by a reader of `language` ("fr" or "en").

    In order: that language, French, no language, whatever there is.
    """

    def rank(text: Literal) -> tuple[int, str]:
        order = [language, "fr", None]
        place = order.index(text.language) if text.language in order else len(order)
        return place, text.value

    return min(texts, key=rank, default=None)


def day_of(date: str) -> int:
    """Return the day on which a date is over, as a number that orders days; 0 for none.

    A month or a year is over after its last day, whichever that is.

    >>> day_of("2016-03-14"), day_of("2016-03"), day_of("2016")
    (20160314, 20160399, 20169999)
    """
    digits = date[:10].replace("-", "")
    return int(digits.ljust(8, "9")) if digits.isascii() and digits.isdigit() else 0


def in_graph(triple: Triple, graph: NamedNode | DefaultGraph) -> Quad:
    return Quad(triple.subject, triple.predicate, triple.object, graph)
