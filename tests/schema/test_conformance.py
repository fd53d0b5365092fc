"""The quick check against the reference: what it lets pass, pySHACL lets pass.

The law is tested on the shapes as shipped, over real facts of the demonstration
instance with one fact taken away, added or altered.
"""

import random
from functools import partial

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store

from thc_graph.rdf.terms import XSD, A
from thc_graph.schema import shacl, validation
from thc_graph.schema.conformance import ShapesGraph
from thc_graph.store.snapshots.draft import facts
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long

ODD = [
    Literal("?"),
    Literal("", language="fr"),
    Literal("999999999999", datatype=XSD["integer"]),
    Literal("2015-02", datatype=XSD["gYearMonth"]),
    NamedNode("https://elsewhere.example/x"),
]


def altered(store: Store, node: NamedNode, dice: random.Random) -> Store:
    """Return the node's neighbourhood with one of its facts changed at random."""
    near = {node} | {
        quad.object
        for quad in store.quads_for_pattern(node, None, None, DefaultGraph())
        if isinstance(quad.object, NamedNode)
    }
    near |= {
        quad.object
        for each in list(near)
        for quad in store.quads_for_pattern(each, None, None, DefaultGraph())
        if isinstance(quad.object, NamedNode)
    }
    copy = Store()
    copy.extend(Quad(t.subject, t.predicate, t.object) for t in facts(store, near))
    own = sorted(copy.quads_for_pattern(node, None, None), key=str)
    chosen = dice.choice(own)
    if dice.random() < 0.6:
        copy.remove(chosen)
    if dice.random() < 0.7:
        copy.add(Quad(node, chosen.predicate, dice.choice(ODD)))
    return copy


def some(store: Store, most: int) -> list[NamedNode]:
    """Return a few entities of every class."""
    found: dict[object, list[NamedNode]] = {}
    for quad in store.quads_for_pattern(None, A, None, DefaultGraph()):
        members = found.setdefault(quad.object, [])
        if len(members) < most and isinstance(quad.subject, NamedNode):
            members.append(quad.subject)
    return sorted({node for members in found.values() for node in members}, key=str)


@pytest.mark.parametrize("seed", range(3))
def test_what_it_lets_pass_the_reference_lets_pass(demo: Repository, seed: int) -> None:
    snapshot = demo.current()
    assert snapshot is not None
    store, dice, schema = snapshot.store(), random.Random(seed), demo.schema
    shapes = ShapesGraph(schema.graph)
    passed = 0
    for node in dice.sample(some(store, 3), 40):
        copy = altered(store, node, dice)
        if any(validation._doubtful([node], partial(facts, copy), shapes, schema)):
            continue
        passed += 1
        data = (*(quad.triple for quad in copy), *schema.ontology)
        blamed = {each.focus for each in shacl.results(data, schema.graph)}
        assert node not in blamed, (node, list(copy.quads_for_pattern(node, None, None)))
    assert passed
