"""`thc-graph serve`: the published graph over HTTP, read-only."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import typer

from thc_graph.cli import console, harms
from thc_graph.cli.app import app
from thc_graph.errors import StoreError, StoreFull, StoreUnsound
from thc_graph.instance.settings import FILE, Settings, read_settings
from thc_graph.people import tokens
from thc_graph.store.snapshots.snapshot import current
from thc_graph.store.writes import recovery
from thc_graph.web.serving import supervisor

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
    from thc_graph.instance.service import open_service  # noqa: PLC0415
    from thc_graph.web.app import create_app  # noqa: PLC0415
    from thc_graph.web.editors_app import create_editors  # noqa: PLC0415
    from thc_graph.web.http import logs  # noqa: PLC0415
    from thc_graph.web.serving.ports import Doors  # noqa: PLC0415
    from thc_graph.web.serving.server import Server  # noqa: PLC0415

    settings = read_settings(context.obj.store)
    if public and settings.missing():
        console.fail(_MISSING.format(names=", ".join(settings.missing()), file=FILE), 1)
    if editors is not None:
        tokens.listed(settings.store)  # refused here where it cannot be read
    sockets = [_listening(host, port)]
    if editors is not None:
        sockets.append(_listening(editors_host, editors))
    logs.configure()
    post = supervisor.stand_by(sockets)
    _make_sure(settings, context.obj.language, is_again=post.restarts > 0)
    current(settings.store)  # refused here, in words, rather than by the server
    application = create_app(open_service(settings))
    application.state.metrics.restarts.inc(post.restarts)
    served: Any = application
    if editors is not None:
        inside = create_editors(application)
        served = Doors(application, inside, sockets[1].getsockname()[1])
    server = Server(
        application.state.service, served, announce=post.announce, stops=supervisor.TOLD
    )
    with _filling(settings):
        server.run(sockets)
    if not server.started:
        raise typer.Exit(1)


def _make_sure(settings: Settings, language: str, *, is_again: bool) -> None:
    """Tell what is harmed, and let a clerk mend it and finish what a crash interrupted.

    A store that cannot be written, or whose disk is full, is served as it stands, if it is
    sound. Where a server
    is started again and nothing is harmed, who waits at the sockets is not to wait for this.
    """
    harmed = recovery.look(settings.store)
    if recovery.is_closed(settings.store):
        if harmed:
            raise StoreUnsound(harmed[0].file, harmed[0].harm)
        console.say(harms.words()["read-only"][language])
        return
    harms.tell(harmed, language)
    if is_again and not harmed:
        Thread(target=_recover_aside, args=(settings,), daemon=True).start()
        return
    try:
        is_free = _recover(settings)
    except StoreFull:
        if harmed:
            raise
        console.say(harms.words()["disk-full"][language])
        return
    if not is_free and harmed:
        raise StoreUnsound(harmed[0].file, harmed[0].harm)


def _recover(settings: Settings) -> bool:
    """Finish what a crash interrupted; say so and tell False where another process writes."""
    from thc_graph.instance.writing import recover  # noqa: PLC0415 - only this command pays for it

    is_free = recover(settings)
    if not is_free:
        console.say("Un import est en cours : la version publiée est servie.")
    return is_free


def _recover_aside(settings: Settings) -> None:
    try:
        _recover(settings)
    except StoreError as fault:  # the next start tells it, and serves no more
        console.say(str(fault))


@contextmanager
def _filling(settings: Settings) -> Iterator[None]:
    """Bring a remote engine to the published commit, in a process beside the server.

    It may take minutes: `/readyz` says so meanwhile, and pages are answered from here.
    """
    if not settings.remote_update:
        yield
        return
    program = str(Path(sys.argv[0]).resolve())
    command = [sys.executable, program, "--store", str(settings.store), "push"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as filling:  # noqa: S603
        try:
            yield
        finally:
            filling.terminate()


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; where none can, the command ends and says which."""
    from thc_graph.web.serving.ports import listen  # noqa: PLC0415

    try:
        return listen(host, port)
    except OSError as fault:
        reason = _REASONS.get(fault.errno or 0, os.strerror(fault.errno) if fault.errno else "")
        console.fail(_CLOSED.format(port=port, host=host, reason=reason or str(fault)), 1)
