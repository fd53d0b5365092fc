"""Touches: the commits of one entity are those that a reading of the whole history finds."""

import random
import shutil
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.history import History
from thc_graph.store.publication import Repository
from thc_graph.store.touches import FOLDER, Touches, keep, name


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


def test_a_commit_that_a_purge_rewrote_is_read_anew(touches: Touches, tmp_path: Path) -> None:
    history = History(shutil.copytree(touches.history.folder, tmp_path / "history"))
    id_ = touches.snapshot.commit
    assert name(history, id_) == name(touches.history, id_)
    start, *_, end = history.text(id_).split("\n")
    history.redact({id_: f"{start}\n{end}"})
    assert name(history, id_) != name(touches.history, id_)


def test_a_publication_keeps_what_a_reading_of_its_commit_would(bare: Repository) -> None:
    thing = NamedNode("https://data.thc.example/id/organisation/essai")
    label = Literal("Essai", language="fr")
    change = ChangeSet(added=frozenset({Quad(thing, RDFS["label"], label, thing)}))
    with bare.writing() as writer, bare.draft(change) as draft:
        commit = writer.publish(draft, accept_unchecked(change), "Essai", "Essai")
    snapshot = bare.current()
    assert snapshot is not None
    found = Touches(bare.history, snapshot)
    kept = snapshot.path / FOLDER / name(bare.history, commit.id)
    assert kept.read_bytes() == found._made(commit.id)  # nobody has asked yet


def test_a_publication_makes_what_the_former_snapshot_lacks(
    touches: Touches, tmp_path: Path
) -> None:
    head, folder, former = touches.snapshot.commit, tmp_path / "snapshot", tmp_path / "former"
    folder.mkdir()
    (former / FOLDER).mkdir(parents=True)
    for number in range(9):
        (former / FOLDER / f"of-an-older-version-{number}").touch()
    keep(touches.history, head, touches.history.change(head).subjects(), folder, former)
    found = {path.name for path in (folder / FOLDER).iterdir()}
    assert found == {name(touches.history, each.id) for each in touches.history.log(head)}
