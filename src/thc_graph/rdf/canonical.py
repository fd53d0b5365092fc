"""Canonical form: one order of lines for one set of quads.

Published data hold no blank node, so sorted N-Quads are canonical; this is the
special case of RDFC-1.0 (W3C, 2024) without blank nodes.
"""

from collections.abc import Iterable

from pyoxigraph import BlankNode, Quad


def lines(quads: Iterable[Quad]) -> list[str]:
    """Return the quads as sorted N-Quads lines, without line ends.

    Raises:
        ValueError: A quad holds a blank node.
    """
    return sorted(_line(quad) for quad in set(quads))


def _line(quad: Quad) -> str:
    if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
        raise ValueError(f"Published data hold no blank node: {quad}")
    return f"{quad} ."
