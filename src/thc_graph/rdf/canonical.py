"""Canonical form: one order of lines for one set of quads.

Published data hold no blank node, so sorted N-Quads are canonical; this is the
special case of RDFC-1.0 (W3C, 2024) without blank nodes. A store in conformance
mode holds blank nodes: their labels are then the store's own, minted at random and
kept from commit to commit, as an RDF Patch needs them.
"""

from collections.abc import Iterable
from functools import lru_cache

from pyoxigraph import Literal, NamedNode, Quad, Store

from thc_graph.rdf.terms import RDF, XSD

_TEXTS = frozenset({XSD["string"], RDF["langString"]})
_ANY = NamedNode("urn:thc:any")


def lines(quads: Iterable[Quad]) -> list[str]:
    """Return the quads as sorted N-Quads lines, without line ends."""
    return sorted(f"{quad} ." for quad in set(quads))


def normal(literal: Literal) -> Literal:
    """Return a literal as the engine keeps it: the decimal 49.0 is 49.

    A change must speak so: history would keep the one and later remove the other.
    """
    return literal if literal.datatype in _TEXTS else _kept(literal)


@lru_cache(maxsize=1 << 14)
def _kept(literal: Literal) -> Literal:
    store = Store()
    store.add(Quad(_ANY, _ANY, literal))
    kept = next(iter(store)).object
    assert isinstance(kept, Literal)
    return kept


def normalised(quads: Iterable[Quad]) -> set[Quad]:
    """Return the quads with their literals as the engine keeps them."""
    return {
        Quad(quad.subject, quad.predicate, normal(quad.object), quad.graph_name)
        if isinstance(quad.object, Literal)
        else quad
        for quad in quads
    }
