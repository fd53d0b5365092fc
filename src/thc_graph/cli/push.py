"""`thc-graph push`: the remote engine brought to the published commit."""

from dataclasses import replace

import typer

from thc_graph.cli import console, mirroring
from thc_graph.cli.app import app, opened
from thc_graph.errors import SettingsError


@app.command()
def push(context: typer.Context) -> None:
    """Met le moteur distant au niveau de la dernière publication ; le remplit s'il est vide."""
    settings, repository = opened(context)
    if not settings.remote_update:
        raise SettingsError("remote_update manque : l'adresse de mise à jour du moteur distant.")
    with replace(repository, follow=None).writing():
        sent = mirroring.bring(settings, repository)
    told = console.counted(sent, "quad envoyé", "quads envoyés")
    console.say(f"Moteur distant à jour : {told}.")
