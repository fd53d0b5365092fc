"""`thc-graph log`: the commits, and what one of them changed."""

from dataclasses import asdict
from typing import Annotated

import typer

from thc_graph.cli import console, endings
from thc_graph.cli.app import app, opened
from thc_graph.rdf.changes import patch
from thc_graph.store.history.commits import Commit


@app.command()
def log(
    context: typer.Context,
    commit: Annotated[str, typer.Argument(help="Un commit, par le début de son numéro.")] = "",
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Liste les publications ; avec un numéro, donne ce qu'elle a changé (RDF Patch)."""
    _, repository = opened(context, sure=False)
    history = repository.history
    endings.tell_clock(history, context.obj.language)
    found = [each for each in history.log() if each.id.startswith(commit)]
    if not found:
        console.fail("Aucune publication de ce numéro.", 1)
    if json:
        console.as_json([_as_dict(each) for each in found])
    elif commit:
        console.data("\n".join(patch(history.change(found[0].id))))
    else:
        console.data("\n".join(map(_line, found)))


def _line(each: Commit) -> str:
    counts = f"+{each.added} -{each.removed}"
    return f"{each.short}  {each.time}  {counts}  {each.author}  {each.message}"


def _as_dict(each: Commit) -> dict[str, object]:
    return asdict(each)
