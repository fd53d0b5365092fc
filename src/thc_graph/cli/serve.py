"""`thc-graph serve`: the published graph over HTTP, read-only."""

from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.errors import StoreLocked


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Adresse d'écoute.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port ; 0 pour un port libre.")] = 8000,
) -> None:
    """Sert les pages et SPARQL."""
    import uvicorn  # noqa: PLC0415 - only this command pays for it

    from thc_graph.service import open_service  # noqa: PLC0415
    from thc_graph.web.app import create_app  # noqa: PLC0415

    settings, repository = opened(context)
    try:
        with repository.writing():
            pass  # finishes what a crash interrupted
    except StoreLocked:
        console.say("Un import est en cours : la version publiée est servie.")
    uvicorn.run(
        create_app(open_service(settings)),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        date_header=True,
    )
