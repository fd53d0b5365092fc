"""Commits: named by what they hold, acknowledged only when whole."""

from datetime import datetime, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad

from thc_graph.errors import HistoryCorrupt
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.validation import Accepted, accept_unchecked
from thc_graph.store.history.commits import ASIDE, History, Source

NODE = NamedNode("https://x/a")


def change(text: str) -> Accepted:
    return accept_unchecked(ChangeSet(added=frozenset({Quad(NODE, NODE, Literal(text), NODE)})))


def quads(numbers: set[int]) -> frozenset[Quad]:
    return frozenset(Quad(NODE, NODE, Literal(str(each)), NODE) for each in numbers)


def test_commits_stand_in_order_and_read_back(tmp_path: Path) -> None:
    history = History(tmp_path)
    source = Source("feuille.csv", "00" * 32)
    first = history.record(change("un"), "Ville", "Premier", (source,))
    second = history.record(change('deux é\n"'), "Ville", "Second")
    assert [commit.id for commit in history.log()] == [second.id, first.id]
    assert history.commit(first.id) == first
    assert history.change(second.id) == change('deux é\n"').change


@given(st.lists(st.tuples(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4))), max_size=5))
def test_a_state_is_all_changes_in_their_order(changes: list[tuple[set[int], set[int]]]) -> None:
    with TemporaryDirectory() as folder:
        history, expected = History(Path(folder)), set[Quad]()
        for removed, added in changes:
            each = ChangeSet(removed=quads(removed - added), added=quads(added))
            expected = (expected - each.removed) | each.added
            commit = history.record(accept_unchecked(each), "Ville", "Essai")
            assert history.state(commit.id) == expected


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
    (tmp_path / ASIDE).mkdir()
    (tmp_path / ASIDE / ".abc.patch.gz.123").write_bytes(b"half")
    (tmp_path / ".def.patch.gz.123").write_bytes(b"half, by a program of before")
    history.tidy()
    history.sweep()
    assert history.head == commit.id
    assert not list(tmp_path.glob(".*"))


def test_a_clock_set_back_keeps_the_order(tmp_path: Path, monkeypatch) -> None:
    history, times = History(tmp_path), []
    for day in ("2026-11-20", "2026-11-30", "2026-11-05", "2026-11-29", "2026-12-01"):
        monkeypatch.setattr("thc_graph.store.history.commits.datetime", clock(day))
        times.append(history.record(change(day), "Ville", day).time[:10])
        assert history.is_ahead == (day < times[-1])
    assert times == ["2026-11-20", "2026-11-30", "2026-11-30", "2026-11-30", "2026-12-01"]


def clock(day: str) -> type[datetime]:
    """Return a clock that stands still."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.fromisoformat(f"{day}T10:00:00").replace(tzinfo=tz)

    return Clock
