"""Canonical form: one order of lines for one set of quads.

Published data hold no blank node, so sorted N-Quads are canonical; this is the
special case of RDFC-1.0 (W3C, 2024) without blank nodes. A store in conformance
mode holds blank nodes: their labels are then the store's own, minted at random and
kept from commit to commit, as an RDF Patch needs them.
"""

from collections.abc import Iterable

from pyoxigraph import Literal, Quad, Store

from thc_graph.rdf.terms import RDF, XSD

_TEXTS = frozenset({XSD["string"], RDF["langString"]})


def lines(quads: Iterable[Quad]) -> list[str]:
    """Return the quads as sorted N-Quads lines, without line ends."""
    return sorted(f"{quad} ." for quad in set(quads))


def normalised(quads: Iterable[Quad]) -> set[Quad]:
    """Return the quads as the engine keeps them: the decimal 49.0 is 49.

    A change must speak so: history would keep the one and later remove the other.
    """
    store, found = Store(), set[Quad]()
    typed: list[Quad] = []
    for quad in quads:
        if _is_typed(quad):
            typed.append(quad)
        else:
            found.add(quad)
    store.bulk_extend(typed)
    found.update(store)
    return found


def _is_typed(quad: Quad) -> bool:
    return isinstance(quad.object, Literal) and quad.object.datatype not in _TEXTS
