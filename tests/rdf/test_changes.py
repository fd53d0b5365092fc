"""Laws of change sets: what is done can be undone, what is written can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from thc_graph.rdf.changes import ChangeSet, diff, patch, read_patch

NODES = st.sampled_from([NamedNode(f"https://x/{n}") for n in "abcd"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TERMS = NODES | TEXTS.map(Literal) | TEXTS.map(lambda t: Literal(t, language="fr"))
QUADS = st.frozensets(st.builds(Quad, NODES, NODES, TERMS, NODES), max_size=12)


def applied(change: ChangeSet, quads: frozenset) -> frozenset:
    return (quads - change.removed) | change.added


@given(QUADS, QUADS)
def test_a_diff_leads_from_before_to_after(before: frozenset, after: frozenset) -> None:
    assert applied(diff(before, after), before) == after


@given(QUADS, QUADS)
def test_a_change_is_undone_by_its_inverse(before: frozenset, after: frozenset) -> None:
    change = diff(before, after)
    assert applied(change.inverse(), applied(change, before)) == before


@given(QUADS, QUADS)
def test_a_patch_reads_back(before: frozenset, after: frozenset) -> None:
    change = diff(before, after)
    assert read_patch("\n".join(patch(change))) == change


@given(QUADS)
def test_nothing_changes_nothing(quads: frozenset) -> None:
    assert not diff(quads, quads)


def test_a_cut_patch_is_refused() -> None:
    with pytest.raises(SyntaxError):
        read_patch("TX .\nA <https://x/a> <https://x/b> <https://x/c> .")


def test_what_has_no_name_is_told() -> None:
    node = NamedNode("https://x/a")
    for quad in (
        Quad(BlankNode(), node, node, node),
        Quad(node, node, BlankNode(), node),
        Quad(node, node, Triple(node, node, node), node),
    ):
        assert ChangeSet(added=frozenset({quad})).nameless() == quad
        assert ChangeSet(removed=frozenset({quad})).nameless() is None


@given(QUADS)
def test_blank_nodes_and_default_graph_quads_read_back(quads: frozenset) -> None:
    own = {Quad(BlankNode(), quad.predicate, quad.object) for quad in quads}
    change = ChangeSet(added=frozenset({*own, *quads}))
    assert read_patch("\n".join(patch(change))) == change


def test_subjects_are_the_entities_touched() -> None:
    a, b = NamedNode("https://x/a"), NamedNode("https://x/b")
    change = ChangeSet(frozenset({Quad(a, b, b, b)}), frozenset({Quad(b, b, a, a)}))
    assert change.subjects() == {a, b}


@given(QUADS, QUADS, QUADS)
def test_two_changes_make_one(first: frozenset, second: frozenset, third: frozenset) -> None:
    assert diff(first, second).then(diff(second, third)) == diff(first, third)
