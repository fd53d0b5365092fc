"""Mirroring: what a remote engine is sent, by `push` and after each publication."""

from dataclasses import dataclass

from thc_graph.cli import console
from thc_graph.errors import RemoteRefused
from thc_graph.instance import instance
from thc_graph.instance.settings import Settings
from thc_graph.sheets.problems import message
from thc_graph.store.writes.repository import Repository

TOLD = 50_000  # quads between two lines of progress


@dataclass
class Follower:
    """Pushes after each publication: a remote that fails is told, and is behind."""

    settings: Settings
    language: str = "fr"
    is_behind: bool = False  # since the last publication of this process

    def __call__(self, repository: Repository) -> None:
        if repository.current() is None:
            return
        self.is_behind = False
        try:
            bring(self.settings, repository)
        except RemoteRefused as refusal:
            self.is_behind = True
            console.say(message("not-mirrored", why=refusal.why).in_(self.language))


def bring(settings: Settings, repository: Repository) -> int:
    """Bring the remote engine to the published commit; return how many quads were sent."""
    sent = 0
    with instance.mirror(settings) as mirror:
        for sent in mirror.follow(repository):
            if sent % TOLD == 0:
                console.say(f"{sent} quads …")
    return sent
