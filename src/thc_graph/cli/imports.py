"""`thc-graph imports`: the private journal of imports, the refused ones included."""

from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.sheets.journal import Entry, entries


@app.command()
def imports(
    context: typer.Context,
    show: Annotated[str, typer.Argument(help="Un import, par son numéro ; sinon, la liste.")] = "",
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Liste les imports, ou dit tout de l'un d'eux : lignes refusées et pourquoi."""
    settings, _ = opened(context)
    found = [each for each in entries(settings.store) if each.id.startswith(show)]
    if not found:
        console.fail("Aucun import.", 1)
    if json:
        console.as_json([vars(each) for each in found])
    elif show:
        _tell(found[0])
    else:
        console.data("\n".join(map(_line, found)))


def _line(entry: Entry) -> str:
    outcome = entry.commit[:8] if entry.commit else "rien publié"
    return f"{entry.id}  {entry.time}  {outcome}  {', '.join(entry.files)}"


def _tell(entry: Entry) -> None:
    console.data(_line(entry))
    for problem in entry.problems:
        console.data(f"{problem['cell']}\t{problem['severity']}\t{problem['message']}")
