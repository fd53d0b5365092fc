"""Undoing is a change like any other; what has changed since stands in its way."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.errors import CommitUnknown, UndoConflict
from thc_graph.rdf.changes import ChangeSet
from thc_graph.rdf.terms import PROV
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.history.commits import Commit, History
from thc_graph.store.history.undo import between, inverse, named

GRAPH = NamedNode("https://x/graph/a/b")
SOURCES = NamedNode("https://x/graph/provenance/a")


def fact(subject: str, value: str) -> Quad:
    node = NamedNode(f"https://x/id/{subject}")
    return Quad(node, NamedNode("https://x/p"), Literal(value), GRAPH)


def row(subject: str, file: str) -> Quad:
    place = NamedNode(f"https://x/id/fichier/{file}#row=2")
    return Quad(NamedNode(f"https://x/id/{subject}"), PROV["wasDerivedFrom"], place, SOURCES)


def described(file: str) -> Quad:
    node = NamedNode(f"https://x/id/fichier/{file}")
    return Quad(node, NamedNode("https://x/label"), Literal(file), SOURCES)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def commit(history: History, removed: tuple[Quad, ...], added: tuple[Quad, ...]) -> Commit:
    change = ChangeSet(frozenset(removed), frozenset(added))
    return history.record(accept_unchecked(change), "Ville", "Essai")


def undo(history: History, done: Commit) -> Commit:
    return history.record(accept_unchecked(inverse(history, done)), "Ville", "Annulation")


def state(history: History) -> set[Quad]:
    return history.state(history.head) if history.head else set()


def test_an_undo_restores_the_state_before(history: History) -> None:
    commit(history, (), (fact("a", "un"), row("a", "f1")))
    before = state(history)
    done = commit(
        history,
        (fact("a", "un"), row("a", "f1")),
        (fact("a", "deux"), fact("b", "un"), row("a", "f2"), described("f2")),
    )
    undo(history, done)
    assert state(history) == before


def test_what_changed_since_stands_in_the_way_until_it_is_undone(history: History) -> None:
    first = commit(history, (), (fact("a", "un"),))
    second = commit(history, (fact("a", "un"),), (fact("a", "deux"),))
    with pytest.raises(UndoConflict) as refused:
        inverse(history, first)
    assert refused.value.later == (second.id,)
    assert refused.value.facts == (("https://x/id/a", "https://x/p"),)
    undo(history, second)
    undo(history, first)
    assert state(history) == set()


def test_another_fact_of_the_same_entity_is_no_conflict(history: History) -> None:
    first = commit(history, (), (fact("a", "un"), row("a", "f1"), described("f1")))
    other = Quad(fact("a", "").subject, NamedNode("https://x/q"), Literal("x"), GRAPH)
    commit(history, (row("a", "f1"),), (other, row("a", "f2"), described("f2")))
    undo(history, first)
    assert state(history) == {other, row("a", "f2"), described("f2")}


def test_a_file_stays_described_while_rows_of_it_stand(history: History) -> None:
    first = commit(history, (), (fact("a", "un"), row("a", "f1"), described("f1")))
    commit(history, (), (fact("b", "un"), row("b", "f1")))
    undo(history, first)
    assert state(history) == {fact("b", "un"), row("b", "f1"), described("f1")}


def test_commits_are_named_by_id_or_day(history: History) -> None:
    first = commit(history, (), (fact("a", "un"),))
    last = commit(history, (), (fact("b", "un"),))
    assert named(history, first.id[:10]) == first
    assert named(history, last.time[:10]) == last
    for unknown in ("", "abc", "zzzz", "2001-01-01"):
        with pytest.raises(CommitUnknown):
            named(history, unknown)


def test_between_two_commits_is_the_net_change_either_way(history: History) -> None:
    first = commit(history, (), (fact("a", "un"),))
    commit(history, (fact("a", "un"),), (fact("a", "deux"),))
    last = commit(history, (fact("a", "deux"),), (fact("a", "trois"),))
    change = between(history, first, last)
    assert change == ChangeSet(frozenset({fact("a", "un")}), frozenset({fact("a", "trois")}))
    assert between(history, last, first) == change.inverse()
    assert not between(history, last, last)


def test_a_day_names_what_stood_at_its_end_whatever_the_clocks_said(history: History) -> None:
    days = ("2026-11-10", "2026-11-20", "2026-11-05", "2026-11-25")  # one clock was set back
    ids = []
    for number, day in enumerate(days):
        done = commit(history, (), (fact("a", str(number)),))
        ids.append(redated(history, done.id, day))
    assert [named(history, day).id for day in ("2026-11-12", "2026-11-22", "2026-11-30")] == [
        ids[0], ids[2], ids[3],
    ]  # fmt: skip
    with pytest.raises(CommitUnknown):
        named(history, "2026-11-05")


def redated(history: History, id_: str, day: str) -> str:
    """Write the last commit anew as an older program would have on that day; return its id."""
    line, _, rest = history.text(id_).partition("\n")
    text = json.dumps(json.loads(line) | {"time": f"{day}T10:00:00+00:00"}) + "\n" + rest
    new = hashlib.sha256(text.encode()).hexdigest()
    history.path(new).write_bytes(gzip.compress(text.encode()))
    (history.folder / "HEAD").write_text(new)
    return new
