"""`thc-graph map`: a mapping proposed for a sheet with foreign headings."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from thc_graph.cli import console
from thc_graph.cli.app import app
from thc_graph.instance.settings import resources
from thc_graph.schema.reading import read_schema
from thc_graph.sheets.columns.proposal import Proposed, proposed
from thc_graph.sheets.tables.reading import read_tables


@app.command("map")
def map_(
    path: Annotated[
        Path | None, typer.Argument(metavar="FICHIER", help="CSV, XLSX ou ODS.", exists=True)
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Feuille, si elle est connue.")] = None,
    using: Annotated[
        str, typer.Option(help="Une correspondance livrée, par exemple decidim/engagements.")
    ] = "",
    given: Annotated[
        list[str] | None, typer.Option("--set", help="« En-tête=valeur », pour toutes les lignes.")
    ] = None,
) -> None:
    """Propose une correspondance d'en-têtes (YAML), et dit ce qui est douteux."""
    if using:
        mapping = _shipped(using)
    elif path is not None:
        mapping = _proposed(path, sheet)
    else:
        console.fail("Nommer un fichier, ou une correspondance livrée avec --using.", 2)
    constants = dict(each.split("=", 1) for each in given or () if "=" in each)
    if constants:
        mapping["constants"] = {**mapping.get("constants", {}), **constants}
    console.data(yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False))


def _shipped(name: str) -> dict[str, Any]:
    folder = resources().data_folder / "mappings"
    names = {f"{path.parent.name}/{path.stem}": path for path in sorted(folder.glob("*/*.yaml"))}
    if name not in names:
        console.fail(f"Correspondances livrées : {', '.join(names)}.", 2)
    found: dict[str, Any] = yaml.safe_load(names[name].read_text("utf-8"))
    return found


def _proposed(path: Path, sheet: str | None) -> dict[str, Any]:
    files = resources()
    schema = read_schema(files.ontology_folder, files.shapes_folder)
    if sheet is not None and sheet not in schema.sheets:
        console.fail(f"Feuille inconnue. Feuilles : {', '.join(schema.sheets)}.", 2)
    found = proposed(read_tables(path)[0], schema, sheet)
    _tell(found)
    return dict(found.mapping)


def _tell(found: Proposed) -> None:
    console.say(f"Feuille : {found.sheet.label.fr}")
    for foreign, score in found.unsure.items():
        console.say(f"  ? {foreign} → {found.columns[foreign]}  (à vérifier, {score:.0f} %)")
    for foreign in found.left:
        console.say(f"  – {foreign}  (laissée de côté)")
    if found.missing:
        console.say(f"  ✖ obligatoires, à donner avec --set : {', '.join(found.missing)}")
