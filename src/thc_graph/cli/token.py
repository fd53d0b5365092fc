"""`thc-graph token`: who may come in by the editors' door."""

from dataclasses import asdict
from typing import Annotated

import typer

from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.errors import StoreError
from thc_graph.people import tokens
from thc_graph.store.writes.permissions import Role

token = typer.Typer(no_args_is_help=True, help="Gère les jetons de la porte des éditeurs.")
app.add_typer(token, name="token")


@token.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NOM", help="Signe les publications.")],
    role: Annotated[Role, typer.Option(help="Lire, écrire, ou tout.")] = "write",
) -> None:
    """Crée un jeton et le montre, une seule fois."""
    settings, _ = opened(context, sure=False)
    try:
        secret = tokens.create(settings.store, name, role)
    except StoreError:
        console.fail(f"Il y a déjà un jeton « {name} ».", 1)
    console.data(secret)
    console.say("Notez-le : il ne sera plus montré.")


@token.command("list")
def list_(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Liste les jetons, sans leur secret."""
    settings, _ = opened(context, sure=False)
    found = tokens.listed(settings.store)
    if json:
        facts = (asdict(each) for each in found)
        console.as_json([{k: v for k, v in each.items() if k != "sha256"} for each in facts])
    else:
        console.data("\n".join(f"{each.name}\t{each.role}\t{each.created}" for each in found))


@token.command()
def revoke(context: typer.Context, name: Annotated[str, typer.Argument(metavar="NOM")]) -> None:
    """Retire un jeton, dès la requête suivante."""
    settings, _ = opened(context, sure=False)
    if not tokens.revoke(settings.store, name):
        console.fail(f"Il n'y a pas de jeton « {name} ».", 1)
    console.say(f"Jeton « {name} » retiré.")
