"""Endings: what a command that publishes says last, whatever it published."""

from thc_graph.cli import console, mirroring, reports
from thc_graph.store.history.commits import History
from thc_graph.store.writes.repository import Repository


def tell(repository: Repository, language: str) -> int:
    """Warn of a clock that is behind; return 1 where the remote engine was not brought along."""
    tell_clock(repository.history, language)
    follow = repository.follow
    return int(isinstance(follow, mirroring.Follower) and follow.is_behind)


def tell_clock(history: History, language: str) -> None:
    """Warn of a clock that is behind the last publication."""
    if history.is_ahead:
        time = history.told(history.head or "").time
        console.say(reports.said("clock-behind", language, time=time))
