"""Touches: the commits of one entity are those that a reading of the whole history finds."""

import random
import shutil
from dataclasses import replace

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store import segments
from thc_graph.store.history.by_entity import FOLDER, HEAD, ID, ROW, Touches
from thc_graph.store.history.commits import Commit, History
from thc_graph.store.history.erasure import Erasure
from thc_graph.store.snapshots import seals
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long


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
    assert not list(touches.of(NamedNode("https://data.thc.example/id/commune/99999"), 20))


def test_the_last_ones_come_first_and_no_more_than_asked(touches: Touches) -> None:
    iri = NamedNode("https://data.thc.example/id/commune/68224")
    everything = list(touches.of(iri, 100))
    assert [each.commit for each in touches.of(iri, 1)] == [each.commit for each in everything[:1]]


def publish(found: Repository, name: str, number: int = 0) -> Commit:
    thing = NamedNode(f"https://data.thc.example/id/organisation/{name}")
    label = Literal(f"Essai {number}", language="fr")
    change = ChangeSet(added=frozenset({Quad(thing, RDFS["label"], label, thing)}))
    with found.writing() as writer, found.draft(change) as draft:
        return writer.publish(draft, accept_unchecked(change), "Essai", "Essai")


def opened(found: Repository) -> Touches:
    snapshot = found.current()
    assert snapshot is not None
    return Touches(found.history, snapshot)


def rows(found: Touches) -> list[bytes]:
    """Return the rows of all segments, in order."""
    folder = found.snapshot.path / FOLDER
    contents = [each.path.read_bytes() for each in segments.listed(folder)]
    starts = [HEAD.size + ID * HEAD.unpack_from(content)[1] for content in contents]
    return sorted(
        content[at : at + ROW]
        for content, start in zip(contents, starts, strict=True)
        for at in range(start, len(content), ROW)
    )


def made_anew(found: Repository) -> list[bytes]:
    """Return the rows that a reading of the history gives."""
    snapshot = found.current()
    assert snapshot is not None
    shutil.rmtree(snapshot.path / FOLDER)
    anew = opened(found)
    assert len(anew.packs) == 1
    return rows(anew)


def test_a_publication_keeps_what_a_reading_of_the_history_would(bare: Repository) -> None:
    dice = random.Random(7)
    told: dict[str, list[str]] = {}
    for number in range(24):
        name = f"essai-{dice.randrange(9)}"
        told.setdefault(name, []).insert(0, publish(bare, name, number).id)
    found = opened(bare)
    for name, ids in told.items():
        thing = NamedNode(f"https://data.thc.example/id/organisation/{name}")
        assert [each.commit.id for each in found.of(thing, 100)] == ids
        assert found.last(thing) == next(found.of(thing, 1)).commit
    assert len(found.packs) <= 3
    assert rows(found) == made_anew(bare)


def test_a_purge_leaves_no_digest_of_what_is_gone(bare: Repository) -> None:
    publish(bare, "essai")
    thing = NamedNode("https://data.thc.example/id/organisation/essai")
    assert opened(bare).last(thing) is not None
    with bare.writing() as writer:
        writer.purge(Erasure((thing.value,)), "Essai")
    found = opened(bare)
    assert found.last(thing) is None
    assert rows(found) == made_anew(bare)


@pytest.mark.parametrize("harm", ["missing", "older", "empty", "cut"])
def test_a_publication_makes_what_the_former_snapshot_lacks(bare: Repository, harm: str) -> None:
    publish(bare, "avant")
    snapshot = bare.current()
    assert snapshot is not None
    folder = snapshot.path / FOLDER
    if harm == "older":  # of the commit before
        before = next(each for each in (bare.root / "snapshots").iterdir() if each != snapshot.path)
        shutil.rmtree(folder)
        shutil.copytree(before / FOLDER, folder)
    elif harm == "missing":
        shutil.rmtree(folder)
    for path in folder.glob("*") if harm in ("empty", "cut") else ():
        path.write_bytes(path.read_bytes()[: 20 if harm == "cut" else 0])
    seals.put(snapshot.path, None)  # so that it was published, not harmed since
    publish(bare, "après")
    assert len(list((opened(bare).snapshot.path / FOLDER).iterdir())) == 1
    assert rows(opened(bare)) == made_anew(bare)


def test_where_nothing_may_be_written_they_are_made_in_memory(bare: Repository) -> None:
    id_ = publish(bare, "essai").id
    found = opened(bare)
    shutil.rmtree(found.snapshot.path / FOLDER)
    (found.snapshot.path / FOLDER).write_text("in the way")  # as a read-only disk would be
    last = found.last(NamedNode("https://data.thc.example/id/organisation/essai"))
    assert last is not None
    assert last.id == id_


def test_what_a_remote_engine_does_not_hold_yet_is_not_told(bare: Repository) -> None:
    former = publish(bare, "essai", 1).id
    publish(bare, "essai", 2)
    behind = replace(opened(bare), snapshot=Snapshot(former, opened(bare).snapshot.path))
    thing = NamedNode("https://data.thc.example/id/organisation/essai")
    assert [each.commit.id for each in behind.of(thing, 9)] == [former]


def test_a_replica_without_history_knows_of_no_change(bare: Repository) -> None:
    publish(bare, "essai")
    found = opened(bare)
    shutil.rmtree(bare.history.folder)
    thing = NamedNode("https://data.thc.example/id/organisation/essai")
    assert (found.last(thing), list(found.of(thing, 9))) == (None, [])


def test_a_snapshot_that_is_gone_still_tells_those_who_read_it(bare: Repository) -> None:
    id_ = publish(bare, "essai").id
    found, thing = opened(bare), NamedNode("https://data.thc.example/id/organisation/essai")
    assert found.packs
    for number in range(4):
        publish(bare, "essai", number)
    assert not found.snapshot.path.exists()
    assert [each.commit.id for each in found.of(thing, 9)] == [id_]
