"""`thc-graph serve`: the published graph over HTTP, read-only."""

from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.errors import StoreLocked
from thc_graph.settings import FILE
from thc_graph.store.snapshots import current

_MISSING = (
    "Un service public nomme son éditeur, son hébergeur et un contact, et a sa propre base. "
    "À renseigner dans {file} : {names}."
)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Adresse d'écoute.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port ; 0 pour un port libre.")] = 8000,
    public: Annotated[
        bool, typer.Option("--public", help="Pour le public : refuse si une mention manque.")
    ] = False,
) -> None:
    """Sert les pages et SPARQL."""
    from thc_graph.service import open_service  # noqa: PLC0415 - only this command pays for it
    from thc_graph.web import logs  # noqa: PLC0415
    from thc_graph.web.server import Server  # noqa: PLC0415

    settings, repository = opened(context)
    if public and settings.missing():
        console.fail(_MISSING.format(names=", ".join(settings.missing()), file=FILE), 1)
    try:
        with repository.writing():
            pass  # finishes what a crash interrupted
    except StoreLocked:
        console.say("Un import est en cours : la version publiée est servie.")
    current(settings.store)  # refused here, in words, rather than by the server
    logs.configure()
    server = Server(open_service(settings), host, port)
    server.run()
    if not server.started:
        raise typer.Exit(1)
