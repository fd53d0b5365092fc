"""`thc-graph backup`: the store at its last publication, while it is served and written to."""

from pathlib import Path
from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app
from thc_graph.store.history.backup import back_up


@app.command()
def backup(
    context: typer.Context,
    destination: Annotated[Path, typer.Argument(metavar="DESTINATION", help="Dossier à créer.")],
    history_only: Annotated[
        bool, typer.Option("--history-only", help="Sans l'instantané, qui se reconstruit.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Sauvegarde le magasin, même servi et en cours d'écriture."""
    manifest = back_up(context.obj.store, destination, history_only=history_only)
    if json:
        told = {"commit": manifest.commit, "time": manifest.time, "files": len(manifest.files)}
        console.as_json(told)
    else:
        number = len(manifest.files)
        console.say(f"Sauvegardé : {manifest.commit[:8]}, {number} fichiers, {destination}.")
