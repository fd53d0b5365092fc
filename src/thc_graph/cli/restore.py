"""`thc-graph restore`: a backup into an empty folder, every file checked."""

from pathlib import Path
from typing import Annotated

import typer

from thc_graph.cli import console, endings
from thc_graph.cli.app import app, repository
from thc_graph.errors import BackupDamaged
from thc_graph.instance.settings import read_settings
from thc_graph.people import tokens
from thc_graph.store.history import backup as backups


@app.command()
def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SAUVEGARDE", exists=True, file_okay=False)],
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Reconstruit l'instantané depuis l'historique.")
    ] = False,
) -> None:
    """Rétablit une sauvegarde dans le dossier du magasin, qui doit être vide."""
    root = context.obj.store
    try:
        manifest = backups.restore(source, root, history_only=rebuild)
    except BackupDamaged as fault:
        advice = " --rebuild s'en passe." if fault.file.startswith("snapshots/") else ""
        console.fail(f"Sauvegarde abîmée, rien n'a été rétabli : {fault.file}.{advice}", 1)
    restored = repository(read_settings(root), context.obj.language)
    with restored.writing():
        pass  # rebuilds the snapshot where there is none
    if tokens.listed(root):
        console.say(
            "Les jetons d'éditeurs de la sauvegarde valent à nouveau, même révoqués depuis : "
            "« thc-graph token list »."
        )
    console.say(f"Rétabli : {manifest.commit[:8]}, sauvegardé le {manifest.time}.")
    raise typer.Exit(endings.tell(restored, context.obj.language))
