"""`thc-graph serve`: the published graph over HTTP, read-only."""

import errno
import os
import socket
from threading import Thread
from typing import Annotated, Any

import typer

from thc_graph.cli import console, supervisor
from thc_graph.cli.app import app
from thc_graph.errors import StoreError
from thc_graph.settings import FILE, Settings, read_settings
from thc_graph.store.snapshots import current

_MISSING = (
    "Un service public nomme son éditeur, son hébergeur et un contact, et a sa propre base. "
    "À renseigner dans {file} : {names}."
)
_CLOSED = "Le port {port} de {host} ne s'ouvre pas : {reason}."
_REASONS = {
    errno.EADDRINUSE: "un autre programme l'occupe",
    errno.EACCES: "il faut un droit que ce compte n'a pas",
    errno.EADDRNOTAVAIL: "cette adresse n'est pas celle de cette machine",
    socket.EAI_NONAME: "cette adresse est inconnue",
}


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Adresse d'écoute.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(max=65535, min=0, help="Port ; 0 : un libre.")] = 8000,
    public: Annotated[
        bool, typer.Option("--public", help="Pour le public : refuse si une mention manque.")
    ] = False,
    editors: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Ouvre la porte des éditeurs, à ce port."
        ),
    ] = None,
    editors_host: Annotated[str, typer.Option(help="Adresse de cette porte.")] = "127.0.0.1",
) -> None:
    """Sert les pages et SPARQL."""
    # Only this command pays for them, and before anything is started: again is sooner then.
    from thc_graph.service import open_service  # noqa: PLC0415
    from thc_graph.web import logs  # noqa: PLC0415
    from thc_graph.web.app import create_app  # noqa: PLC0415
    from thc_graph.web.doors import Doors  # noqa: PLC0415
    from thc_graph.web.editors import create_editors  # noqa: PLC0415
    from thc_graph.web.server import Server  # noqa: PLC0415

    settings = read_settings(context.obj.store)
    if public and settings.missing():
        console.fail(_MISSING.format(names=", ".join(settings.missing()), file=FILE), 1)
    sockets = [_listening(host, port)]
    if editors is not None:
        sockets.append(_listening(editors_host, editors))
    logs.configure()
    post = supervisor.stand_by(sockets)
    if post.restarts:  # who waits at the sockets is not to wait for this
        Thread(target=_recover, args=(settings,), daemon=True).start()
    else:
        _recover(settings)
    current(settings.store)  # refused here, in words, rather than by the server
    service = open_service(settings)
    application = create_app(service)
    application.state.metrics.restarts.inc(post.restarts)
    served: Any = application
    if editors is not None:
        inside = create_editors(application)
        served = Doors(application, inside, sockets[1].getsockname()[1])
    server = Server(service, served, announce=post.announce)
    server.run(sockets)
    if not server.started:
        raise typer.Exit(1)


def _recover(settings: Settings) -> None:
    """Finish what a crash interrupted."""
    from thc_graph.writing import recover  # noqa: PLC0415

    try:
        is_free = recover(settings)
    except StoreError as fault:
        console.fail(str(fault), 1)
    if not is_free:
        console.say("Un import est en cours : la version publiée est servie.")


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; where none can, the command ends and says which."""
    from thc_graph.web.doors import listen  # noqa: PLC0415

    try:
        return listen(host, port)
    except OSError as fault:
        reason = _REASONS.get(fault.errno or 0, os.strerror(fault.errno) if fault.errno else "")
        console.fail(_CLOSED.format(port=port, host=host, reason=reason or str(fault)), 1)
