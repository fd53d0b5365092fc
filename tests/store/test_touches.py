"""Touches: the commits of one entity are those that a reading of the whole history finds."""

import random

import pytest
from pyoxigraph import NamedNode

from thc_graph.rdf.changes import ChangeSet
from thc_graph.store.history import History
from thc_graph.store.publication import Repository
from thc_graph.store.touches import FOLDER, Touches


@pytest.fixture(scope="module")
def touches(demo: Repository) -> Touches:
    snapshot = demo.current()
    assert snapshot is not None
    return Touches(History(demo.root / "history"), snapshot)


def of(change: ChangeSet, iri: NamedNode) -> ChangeSet:
    removed, added = (
        frozenset(quad for quad in side if quad.subject == iri)
        for side in (change.removed, change.added)
    )
    return ChangeSet(removed, added)


def test_the_commits_of_an_entity_are_those_that_changed_it(touches: Touches) -> None:
    commits = list(touches.history.log(touches.snapshot.commit))
    changes = {each.id: touches.history.change(each.id) for each in commits}
    subjects = sorted({s for change in changes.values() for s in change.subjects()}, key=str)
    for iri in random.Random(7).sample(subjects, 30):
        told = [(each.commit.id, each.change) for each in touches.of(iri, 100)]
        held = [(each.id, of(changes[each.id], iri)) for each in commits]
        assert told == [pair for pair in held if pair[1]]


def test_what_no_commit_touched_has_no_history(touches: Touches) -> None:
    assert touches.of(NamedNode("https://data.thc.example/id/commune/99999"), 20) == []


def test_the_last_ones_come_first_and_no_more_than_asked(touches: Touches) -> None:
    iri = NamedNode("https://data.thc.example/id/commune/68224")
    everything = touches.of(iri, 100)
    assert [each.commit for each in touches.of(iri, 1)] == [each.commit for each in everything[:1]]


def test_a_commit_that_a_purge_rewrote_is_read_anew(touches: Touches) -> None:
    id_ = touches.snapshot.commit
    touches.of(NamedNode("https://data.thc.example/id/commune/68224"), 1)
    kept = touches.snapshot.path / FOLDER / touches._name(id_)
    assert kept.exists()
    path = touches.history.path(id_)
    path.touch()
    assert touches.snapshot.path / FOLDER / touches._name(id_) != kept
