"""Changes: what is removed from and added to a dataset, and RDF Patch to write it down.

RDF Patch: https://afs.github.io/rdf-patch/ – lines `D s p o g .` and `A s p o g .`
between `TX .` and `TC .`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Triple, parse

from thc_graph.rdf.canonical import lines
from thc_graph.rdf.iris import is_provenance


@dataclass(frozen=True)
class ChangeSet:
    """Quads to remove, then quads to add; the two sets are disjoint."""

    removed: frozenset[Quad] = field(default_factory=frozenset)
    added: frozenset[Quad] = field(default_factory=frozenset)

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)

    def inverse(self) -> "ChangeSet":
        return ChangeSet(removed=self.added, added=self.removed)

    def subjects(self) -> frozenset[NamedNode]:
        """Return the entities this change touches."""
        return self._subjects

    @cached_property
    def _subjects(self) -> frozenset[NamedNode]:
        subjects = {quad.subject for quad in chain(self.removed, self.added)}
        return frozenset(each for each in subjects if isinstance(each, NamedNode))

    def facts(self) -> "ChangeSet":
        """Return this change without what it says of where facts come from."""
        return ChangeSet(removed=_facts(self.removed), added=_facts(self.added))

    def then(self, later: "ChangeSet") -> "ChangeSet":
        """Return this change and a later one as one: what comes and goes again is left out."""
        return ChangeSet(
            removed=(self.removed - later.added) | (later.removed - self.added),
            added=(self.added - later.removed) | (later.added - self.removed),
        )

    def nameless(self) -> Quad | None:
        """Return an added quad that no name reaches (a blank node, a triple term), if any."""
        return next((quad for quad in self.added if _is_nameless(quad)), None)


def _is_nameless(quad: Quad) -> bool:
    return isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode | Triple)


def diff(before: Iterable[Quad], after: Iterable[Quad]) -> ChangeSet:
    """Return the smallest change that leads from `before` to `after`."""
    old, new = set(before), set(after)
    return ChangeSet(removed=frozenset(old - new), added=frozenset(new - old))


def patch(change: ChangeSet) -> Iterator[str]:
    """Yield the change as the lines of an RDF Patch, in canonical order."""
    yield "TX ."
    yield from (f"D {line}" for line in lines(change.removed))
    yield from (f"A {line}" for line in lines(change.added))
    yield "TC ."


def read_patch(text: str) -> ChangeSet:
    """Return the change that `patch` wrote.

    Raises:
        SyntaxError: A line is not an RDF Patch line of ours.
    """
    rows = text.split("\n")  # not splitlines: literals hold other line ends
    if not rows or rows[0] != "TX ." or rows[-1] != "TC .":
        raise SyntaxError("This RDF Patch is not whole.")
    return ChangeSet(removed=_quads(rows, "D "), added=_quads(rows, "A "))


def _facts(quads: Iterable[Quad]) -> frozenset[Quad]:
    return frozenset(quad for quad in quads if not is_provenance(quad.graph_name))


def _quads(rows: list[str], mark: str) -> frozenset[Quad]:
    text = "\n".join(row.removeprefix(mark) for row in rows if row.startswith(mark))
    return frozenset(parse(text, format=RdfFormat.N_QUADS))
