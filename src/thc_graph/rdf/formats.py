"""Formats: the W3C syntaxes we write, their media types and suffixes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from pyoxigraph import Quad, RdfFormat, Triple, serialize

from thc_graph.rdf.terms import PREFIXES


@dataclass(frozen=True)
class Format:
    """A syntax for graphs: its name for people, media type and suffix of a file or a page."""

    name: str
    media_type: str
    suffix: str
    syntax: RdfFormat


GRAPH_FORMATS: Final = (
    Format("Turtle", "text/turtle", "ttl", RdfFormat.TURTLE),
    Format("JSON-LD", "application/ld+json", "jsonld", RdfFormat.JSON_LD),
    Format("RDF/XML", "application/rdf+xml", "rdf", RdfFormat.RDF_XML),
    Format("N-Triples", "application/n-triples", "nt", RdfFormat.N_TRIPLES),
)
DATASET_FORMATS: Final = (
    Format("N-Quads", "application/n-quads", "nq", RdfFormat.N_QUADS),
    Format("TriG", "application/trig", "trig", RdfFormat.TRIG),
)
BINDINGS: Final = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
)
GRAPHS: Final = tuple(form.media_type for form in GRAPH_FORMATS)


def by_suffix(suffix: str) -> Format | None:
    return next((f for f in (*GRAPH_FORMATS, *DATASET_FORMATS) if f.suffix == suffix), None)


def by_media_type(media_type: str) -> Format | None:
    return next((f for f in (*GRAPH_FORMATS, *DATASET_FORMATS) if f.media_type == media_type), None)


def write(
    statements: Iterable[Triple] | Iterable[Quad], form: Format, prefixes: dict[str, str]
) -> bytes:
    """Return the statements in `form`, sorted, so that equal graphs give equal bytes."""
    ordered: list[Triple | Quad] = sorted(set(statements), key=str)
    written = serialize(
        cast("list[Triple]", ordered), format=form.syntax, prefixes=PREFIXES | prefixes
    )
    return written or b""
