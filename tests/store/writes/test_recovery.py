"""What a store finds of another time, of a version or a crash before; and only harm is told."""

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, Quad, Store

from thc_graph.errors import HistoryCorrupt
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import RDFS, THC
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store import layout
from thc_graph.store.history.commits import History
from thc_graph.store.snapshots import seals
from thc_graph.store.snapshots.draft import Draft
from thc_graph.store.snapshots.seals import Harm
from thc_graph.store.snapshots.snapshot import Snapshot, ground
from thc_graph.store.writes import recovery
from thc_graph.store.writes.repository import Repository, locked


def published(found: Repository) -> Snapshot:
    snapshot = found.current()
    assert snapshot is not None
    return snapshot


@pytest.fixture
def told() -> list[Harm]:
    """What a writer tells that it makes again."""
    return []


@pytest.fixture
def store(bare: Repository, told: list[Harm]) -> Repository:
    return replace(bare, mending=told.extend)


@pytest.fixture
def former(store: Repository) -> Repository:
    """A store as the version before seals left it."""
    for each in (store.root / "snapshots").glob(f"*/{seals.FILE}"):
        each.unlink()
    (store.root / layout.MARK).write_text("1\n")
    return store


def test_one_of_a_version_before_seals_is_read_as_it_is(
    former: Repository, told: list[Harm]
) -> None:
    before = ground(published(former))
    recovery.make_sure(former)
    assert (ground(published(former)), told) == (before, [])
    assert seals.are_missing(published(former).path)


def test_it_is_sealed_by_the_next_writer_and_nothing_is_told(
    former: Repository, told: list[Harm]
) -> None:
    before = ground(published(former))
    with former.writing():
        pass
    assert (ground(published(former)), told) == (before, [])
    assert not seals.harms(published(former).path, thorough=True)
    assert seals.number(published(former).path)
    assert layout.check(former.root) == layout.FORMAT


def lose_a_quad(quads: Path) -> None:
    store = Store(str(quads))
    store.remove(next(quad for quad in store if quad.graph_name != DefaultGraph()))
    store.flush()


def lose_a_table(quads: Path) -> None:
    max(quads.glob("*.sst"), key=lambda path: path.stat().st_size).write_bytes(b"")


@pytest.mark.parametrize(("hurt", "harm"), [(lose_a_quad, "altered"), (lose_a_table, "unreadable")])
def test_where_it_is_not_what_its_history_says_it_is_made_again(
    former: Repository, told: list[Harm], hurt: Callable[[Path], None], harm: str
) -> None:
    hurt(published(former).quads)
    before = ground(published(former))
    with former.writing():
        pass
    assert [each.harm for each in told] == [harm]
    assert ground(published(former)) != before
    assert not recovery.look(former.root, thorough=True)


def test_one_that_was_sealed_by_this_version_has_lost_its_seals(
    store: Repository, told: list[Harm]
) -> None:
    with store.writing():
        (published(store).path / seals.FILE).unlink()
    recovery.make_sure(store)
    assert [each.harm for each in told] == ["missing"]


@pytest.fixture
def behind(store: Repository) -> Repository:
    """A store whose last commit is recorded and not published, as after a late full disk."""
    fact = Quad(THC["essai"], RDFS["label"], Literal("Essai"), THC["graphe"])
    change = accept_unchecked(ChangeSet(added=frozenset({fact})))
    store.history.record(change, "Essai", "Enregistré")
    return store


def test_what_is_recorded_and_was_not_published_is_so_by_the_next_command(
    behind: Repository, told: list[Harm]
) -> None:
    assert published(behind).commit != behind.history.head
    recovery.make_sure(behind)
    assert (published(behind).commit, told) == (behind.history.head, [])


def test_a_command_beside_a_writer_does_not_wait_for_what_that_one_publishes(
    store: Repository,
) -> None:
    waited: list[int | None] = []
    with store.writing():
        store.history.record(accept_unchecked(ChangeSet()), "Essai", "Enregistré")
        before = published(store)
        recovery.make_sure(replace(store, waiting=waited.append))
        assert published(store) == before
    assert published(store).commit != store.history.head


def test_nothing_is_recorded_where_there_is_no_room_for_its_draft(
    store: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Draft) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    head, change = store.history.head, ChangeSet()
    with store.draft(change) as draft, store.writing() as writer:
        monkeypatch.setattr(Draft, "close", full)
        with pytest.raises(OSError, match="No space left"):
            writer.publish(draft, accept_unchecked(change), "Essai", "Essai")
    assert store.history.head == head


WHILE = 0.3  # seconds that a file is not what it will be


@contextmanager
def rewriting(root: Path, path: Path) -> Iterator[None]:
    """Have a writer who holds the lock, with one file half way, and goes on after a while."""
    begun, content = threading.Event(), path.read_bytes()

    def write() -> None:
        with locked(root):
            path.write_bytes(content[:-1])
            begun.set()
            time.sleep(WHILE)
            path.write_bytes(content)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait()
    yield
    writer.join()


def commit_of(root: Path) -> Path:
    return next((root / "history").glob("*.gz"))


def pointer_of(root: Path) -> Path:
    return root / "CURRENT"


@pytest.mark.parametrize("of", [commit_of, pointer_of])
def test_what_a_writer_is_in_the_middle_of_is_no_harm(
    ruled: Repository, of: Callable[[Path], Path]
) -> None:
    assert not recovery.look(ruled.root)
    with rewriting(ruled.root, of(ruled.root)):
        assert not recovery.look(ruled.root)


def test_harm_at_rest_is_told_at_once(ruled: Repository) -> None:
    path = commit_of(ruled.root)
    path.write_bytes(path.read_bytes()[:-1])
    start = time.monotonic()
    with pytest.raises(HistoryCorrupt):
        recovery.look(ruled.root)
    assert time.monotonic() - start < 5.0, "nobody was waited for"


def unacknowledged(root: Path, number: int) -> None:
    """Leave what as many crashes leave that came before the first commit was acknowledged."""
    history = History(root / "history")
    for text in map(str, range(number)):
        history.record(accept_unchecked(ChangeSet()), "Essai", text)
        (root / "history/HEAD").unlink()


def test_crashes_of_a_first_publication_do_not_shut_the_store(
    store: Repository, tmp_path: Path
) -> None:
    new = replace(store, root=tmp_path / "new")
    unacknowledged(new.root, 3)
    recovery.make_sure(new)
    with new.draft(ChangeSet()) as draft, new.writing() as writer:
        commit = writer.publish(draft, accept_unchecked(ChangeSet()), "Essai", "Premier")
    assert [each.id for each in new.history.log()] == [commit.id]
    assert not recovery.look(new.root, thorough=True)


def test_a_head_that_was_lost_is_told_though_only_one_commit_followed_none(
    store: Repository, tmp_path: Path
) -> None:
    new = replace(store, root=tmp_path / "new")
    unacknowledged(new.root, 2)
    with new.draft(ChangeSet()) as draft, new.writing() as writer:
        writer.publish(draft, accept_unchecked(ChangeSet()), "Essai", "Premier")
    (new.root / "history/HEAD").unlink()
    with pytest.raises(HistoryCorrupt) as refused:
        recovery.make_sure(new)
    assert (refused.value.file, refused.value.harm) == ("history/HEAD", "missing")
