"""`thc-graph push`: the remote engine brought to the published commit."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.errors import RemoteRefused, SettingsError
from thc_graph.settings import Settings, resources
from thc_graph.store.publication import Repository
from thc_graph.store.queries import Library

if TYPE_CHECKING:
    from thc_graph.store.mirror import Mirror

TOLD = 50_000  # quads between two lines of progress


@app.command()
def push(context: typer.Context) -> None:
    """Met le moteur distant au niveau de la dernière publication ; le remplit s'il est vide."""
    settings, repository = opened(context)
    if not settings.remote_update:
        raise SettingsError("remote_update manque : l'adresse de mise à jour du moteur distant.")
    with replace(repository, follow=None).writing():
        sent = bring(settings, repository)
    console.say(f"Moteur distant à jour : {sent} quads envoyés.")


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
