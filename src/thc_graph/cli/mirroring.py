"""Mirroring: what a remote engine is sent, by `push` and after each publication."""

from collections.abc import Callable

from thc_graph import instance
from thc_graph.cli import console
from thc_graph.errors import RemoteRefused
from thc_graph.settings import Settings
from thc_graph.store.publication import Repository

TOLD = 50_000  # quads between two lines of progress


def keep_up(settings: Settings) -> Callable[[Repository], None]:
    """Return what pushes after a publication: a remote that fails is told, and is behind."""

    def follow(repository: Repository) -> None:
        if repository.current() is None:
            return
        try:
            bring(settings, repository)
        except RemoteRefused as refusal:
            console.say(
                f"Publié ici, mais pas sur le moteur distant ({refusal.why}).\n"
                "À reprendre avec « thc-graph push »."
            )

    return follow


def bring(settings: Settings, repository: Repository) -> int:
    """Bring the remote engine to the published commit; return how many quads were sent."""
    sent = 0
    with instance.mirror(settings) as mirror:
        for sent in mirror.follow(repository):
            if sent % TOLD == 0:
                console.say(f"{sent} quads …")
    return sent
