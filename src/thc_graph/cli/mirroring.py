"""Mirroring: what a remote engine is sent, by `push` and after each publication."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from thc_graph.cli import console
from thc_graph.errors import RemoteRefused
from thc_graph.settings import Settings, resources
from thc_graph.store.publication import Repository
from thc_graph.store.queries import Library

if TYPE_CHECKING:
    from thc_graph.store.mirror import Mirror

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
    with _mirror(settings) as mirror:
        for sent in mirror.follow(repository):
            if sent % TOLD == 0:
                console.say(f"{sent} quads …")
    return sent


@contextmanager
def _mirror(settings: Settings) -> "Iterator[Mirror]":
    from thc_graph.store.mirror import Mirror  # noqa: PLC0415 - only a remote engine pays for it
    from thc_graph.store.remote import credentials  # noqa: PLC0415

    mirror = Mirror(
        settings.remote,
        settings.remote_update,
        settings.base,
        Library(resources().queries_folder),
        credentials(os.environ, "THC_REMOTE_UPDATE"),
        credentials(os.environ, "THC_REMOTE"),
    )
    try:
        yield mirror
    finally:
        mirror.close()
