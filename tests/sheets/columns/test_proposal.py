"""A proposed mapping says what it is unsure of, and loads as it stands."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from thc_graph.cli.app import app
from thc_graph.instance.settings import resources
from thc_graph.schema.reading import read_schema
from thc_graph.sheets.columns.layout import layout
from thc_graph.sheets.columns.mapping import read_mapping
from thc_graph.sheets.columns.proposal import proposed
from thc_graph.sheets.tables.reading import Row, Table, read_tables

FOLDERS = resources()
SCHEMA = read_schema(FOLDERS.ontology_folder, FOLDERS.shapes_folder)


def table(*rows: tuple[str, ...]) -> Table:
    return Table("t.csv", "", tuple(Row(n, cells) for n, cells in enumerate(rows, start=1)))


def test_synonyms_are_sure_and_likenesses_are_not() -> None:
    header = ("Réf.", "Intitulé", "Collectivites", "Budget previsionnel", "Xyz")
    found = proposed(table(header), SCHEMA, "engagements")
    assert found.columns["Réf."] == "Réf."
    assert found.columns["Collectivites"] == "Collectivité"
    assert "Collectivites" in found.unsure
    assert "Réf." not in found.unsure
    assert "Xyz" in found.left
    assert "Plan d’action" in found.missing


@pytest.mark.parametrize(("cell", "is_taken"), [("2015-03", True), ("le jardin", False)])
def test_cells_must_look_like_what_the_heading_says(cell: str, is_taken: bool) -> None:  # noqa: FBT001
    rows = table(("Réf.", "Début"), ("A1", cell))
    assert ("Début" in proposed(rows, SCHEMA, "engagements").columns) == is_taken


def test_the_proposal_loads_as_it_stands(tmp_path: Path) -> None:
    sheet = tmp_path / "actions.csv"
    sheet.write_text("Ref,Titre de l'engagement,Date de debut\nA1,Planter,2024\n", "utf-8")
    command = ["map", str(sheet), "--sheet", "engagements", "--set", "Collectivité=Mulhouse"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    mapping = tmp_path / "m.yaml"
    mapping.write_text(result.stdout, "utf-8")
    assert yaml.safe_load(result.stdout)["constants"] == {"Collectivité": "Mulhouse"}
    read = layout(read_tables(sheet)[0], SCHEMA, None, read_mapping(mapping))
    assert read.sheet.slug == "engagements"
    assert read.ignored == ()


def test_a_shipped_mapping_takes_constants() -> None:
    command = ["map", "--using", "decidim/engagements", "--set", "Plan d’action=plan/x"]
    result = CliRunner().invoke(app, command)
    assert yaml.safe_load(result.stdout)["constants"] == {"Plan d’action": "plan/x"}
    assert CliRunner().invoke(app, ["map", "--using", "inconnue"]).exit_code == 2
