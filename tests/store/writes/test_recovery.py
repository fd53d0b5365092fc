"""What a store finds of another time: of a version before, or of a crash before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Store

from thc_graph.store import layout
from thc_graph.store.snapshots import seals
from thc_graph.store.snapshots.seals import Harm
from thc_graph.store.snapshots.snapshot import Snapshot, ground
from thc_graph.store.writes import recovery
from thc_graph.store.writes.repository import Repository


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
