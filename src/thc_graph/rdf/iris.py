"""IRIs: how entities are named, and how a name is read back.

`{base}/id/{kind}/{key}` names a thing; it is published once and never changes
its meaning, so `slug` must never change what it returns.
"""

from pyoxigraph import BlankNode, DefaultGraph, NamedNode
from slugify import slugify

MAX_SLUG = 80  # characters; long statements are cut at a word
PROVENANCE = "provenance"  # the graphs below this name say where facts come from


def slug(text: str) -> str:
    """Return `text` in lower-case ASCII letters, digits and hyphens.

    >>> slug("Plan d’action : L’Haÿ-les-Roses (n° 2)")
    'plan-d-action-l-hay-les-roses-n-2'
    """
    plain = text.replace("’", "-").replace("'", "-").replace("°", "")
    return slugify(plain, max_length=MAX_SLUG, word_boundary=True, save_order=True)


def entity(base: str, kind: str, key: str) -> NamedNode:
    """Return the IRI of a thing; `base` has no final slash."""
    return NamedNode(f"{base}/id/{kind}/{key}")


def kind_and_key(iri: str, base: str) -> tuple[str, str] | None:
    """Return ("commune", "68224") for an entity of this base, None for any other IRI."""
    kind, slash, key = iri.removeprefix(f"{base}/id/").partition("/")
    return (kind, key) if iri.startswith(f"{base}/id/") and slash and key else None


def graph(base: str, name: str) -> NamedNode:
    """Return the name of a graph: one for each source."""
    return NamedNode(f"{base}/graph/{name}")


def is_provenance(graph: NamedNode | BlankNode | DefaultGraph) -> bool:
    """Say whether a graph tells where facts come from: no fact itself, so in no default graph."""
    return isinstance(graph, NamedNode) and f"/graph/{PROVENANCE}/" in graph.value


def is_iri(text: str) -> bool:
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True
