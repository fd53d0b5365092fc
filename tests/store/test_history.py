"""Commits: named by what they hold, acknowledged only when whole."""

from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.errors import HistoryCorrupt
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.validation import Accepted, accept_unchecked
from thc_graph.store.history import History, Source

NODE = NamedNode("https://x/a")


def change(text: str) -> Accepted:
    return accept_unchecked(ChangeSet(added=frozenset({Quad(NODE, NODE, Literal(text), NODE)})))


def test_commits_stand_in_order_and_read_back(tmp_path: Path) -> None:
    history = History(tmp_path)
    source = Source("feuille.csv", "00" * 32)
    first = history.record(change("un"), "Ville", "Premier", (source,))
    second = history.record(change('deux é\n"'), "Ville", "Second")
    assert [commit.id for commit in history.log()] == [second.id, first.id]
    assert history.commit(first.id) == first
    assert history.change(second.id) == change('deux é\n"').change


def test_a_damaged_commit_is_told(tmp_path: Path) -> None:
    history = History(tmp_path)
    commit = history.record(change("un"), "Ville", "Premier")
    path = next(tmp_path.glob("*.gz"))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(HistoryCorrupt):
        history.change(commit.id)


def test_only_validation_makes_an_accepted_change() -> None:
    with pytest.raises(TypeError):
        Accepted(ChangeSet())


def test_what_was_not_acknowledged_is_removed(tmp_path: Path) -> None:
    history = History(tmp_path)
    commit = history.record(change("un"), "Ville", "Premier")
    (tmp_path / ".abc.patch.gz.123").write_bytes(b"half")
    history.tidy()
    assert history.head == commit.id
    assert not list(tmp_path.glob(".*"))
