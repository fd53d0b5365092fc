"""`thc-graph serve`: the published graph over HTTP, read-only."""

from typing import Annotated

import typer

from thc_graph.cli import console, harms
from thc_graph.cli.app import app
from thc_graph.errors import StoreUnsound
from thc_graph.settings import FILE, Settings, read_settings
from thc_graph.store import recovery, tokens
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
    editors: Annotated[
        int | None, typer.Option(metavar="PORT", help="Ouvre la porte des éditeurs, à ce port.")
    ] = None,
    editors_host: Annotated[str, typer.Option(help="Adresse de cette porte.")] = "127.0.0.1",
) -> None:
    """Sert les pages et SPARQL."""
    from thc_graph.service import open_service  # noqa: PLC0415 - only this command pays for it
    from thc_graph.web import logs  # noqa: PLC0415
    from thc_graph.web.app import create_app  # noqa: PLC0415
    from thc_graph.web.doors import Doors, listen  # noqa: PLC0415
    from thc_graph.web.editors import create_editors  # noqa: PLC0415
    from thc_graph.web.server import Server  # noqa: PLC0415

    settings = read_settings(context.obj.store)
    if public and settings.missing():
        console.fail(_MISSING.format(names=", ".join(settings.missing()), file=FILE), 1)
    _make_sure(settings, context.obj.language)
    if editors is not None:
        tokens.listed(settings.store)  # refused here where it cannot be read
    current(settings.store)  # refused here, in words, rather than by the server
    logs.configure()
    service = open_service(settings)
    public_app = create_app(service)
    if editors is None:
        server = Server(service, public_app, host, port)
        server.run()
    else:
        sockets = [listen(host, port), listen(editors_host, editors)]
        inside = create_editors(public_app)
        doors = Doors(public_app, inside, sockets[1].getsockname()[1])
        server = Server(service, doors, host, port)
        server.run(sockets)
    if not server.started:
        raise typer.Exit(1)


def _make_sure(settings: Settings, language: str) -> None:
    """Tell what is harmed, and let a clerk mend it and finish what a crash interrupted.

    A store that cannot be written is served as it stands, if it is sound.
    """
    from thc_graph.writing import recover  # noqa: PLC0415 - only this command pays for it

    harmed = recovery.look(settings.store)
    if recovery.is_closed(settings.store):
        if harmed:
            raise StoreUnsound(harmed[0].file, harmed[0].harm)
        console.say(harms.words()["read-only"][language])
        return
    harms.tell(harmed, language)
    if not recover(settings):
        if harmed:
            raise StoreUnsound(harmed[0].file, harmed[0].harm)
        console.say("Un import est en cours : la version publiée est servie.")
