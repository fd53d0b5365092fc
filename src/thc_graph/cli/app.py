"""The application that each verb adds itself to, and what all of them need: the repository."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from thc_graph import __version__
from thc_graph.cli import mirroring
from thc_graph.schema.reading import read_schema
from thc_graph.search.index import Indexing
from thc_graph.settings import Settings, read_settings, resources
from thc_graph.sheets.lexicon import NameFile
from thc_graph.store.derivation import Derivation
from thc_graph.store.publication import Repository
from thc_graph.store.queries import Library

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


def repository(settings: Settings) -> Repository:
    """Return the store's repository, with the product's own schema and queries."""
    found = resources()
    schema = read_schema(found.ontology_folder, found.shapes_folder)
    library = Library(found.queries_folder)
    derivation = Derivation(library, settings.base)
    if not settings.is_ruled:
        return Repository(settings.store, schema, derivation, union=False, ruled=False)
    follow = mirroring.keep_up(settings) if settings.remote_update else None
    artefacts = (Indexing(schema, library), NameFile(library))
    return Repository(settings.store, schema, derivation, artefacts, follow)


def opened(context: typer.Context) -> tuple[Settings, Repository]:
    """Return the settings and the repository of the store the person named.

    Raises:
        StoreMissing: There is none.
    """
    settings = read_settings(context.obj.store)
    return settings, repository(settings)
