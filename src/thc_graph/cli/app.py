"""The application that each verb adds itself to, and what all of them need: the repository."""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from thc_graph import __version__
from thc_graph.cli import console, harms, mirroring
from thc_graph.instance import instance
from thc_graph.instance.settings import Settings, read_settings
from thc_graph.sheets.problems import message
from thc_graph.store.writes import recovery
from thc_graph.store.writes.repository import Repository

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Le graphe ouvert de la transition démocratique locale.",
)


@dataclass(frozen=True)
class Global:
    """The options that stand before the command."""

    store: Path
    language: str


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"thc-graph {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    context: typer.Context,
    store: Annotated[
        Path, typer.Option(envvar="THC_STORE", help="Dossier du magasin de données.")
    ] = Path("var/store"),
    lang: Annotated[str, typer.Option(help="Langue des messages : fr ou en.")] = "fr",
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_tell_version,
            is_eager=True,
            help="Dit la version et s'arrête.",
        ),
    ] = False,
) -> None:
    context.obj = Global(store, lang)


def repository(settings: Settings, language: str = "fr") -> Repository:
    """Return the store's repository; a remote engine follows it where there is one.

    A writer that waits, or leaves a remote engine behind, says so in `language`.
    """
    found = replace(
        instance.repository(settings),
        waiting=partial(_tell_waiting, language),
        mending=partial(harms.tell, language=language),
    )
    if not (settings.is_ruled and settings.remote_update):
        return found
    return replace(found, follow=mirroring.Follower(settings, language))


def _tell_waiting(language: str, pid: int | None) -> None:
    if sys.stderr.isatty():
        console.say(message("waiting", pid=pid or "?").in_(language))


def opened(context: typer.Context, *, sure: bool = True) -> tuple[Settings, Repository]:
    """Return the settings and the repository of the store the person named.

    With `sure`, its history is verified, and what is derived from it mended, and told.

    Raises:
        StoreMissing: There is none.
        StoreUnsound: A file is harmed, and cannot be made again.
    """
    settings = read_settings(context.obj.store)
    found = repository(settings, context.obj.language)
    if sure:
        recovery.make_sure(found)
    return settings, found
