"""To Decidim and back: what its file does not say stays as it was."""

import csv
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from thc_graph.cli.app import app
from thc_graph.instance.settings import Settings, resources
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.sheets.imports.proposal import Proposal, propose
from thc_graph.store.writes.repository import Repository

PLAN = "exemple-villeneuve-2024-2027"


@pytest.fixture
def exported(demo: Repository, tmp_path: Path) -> Path:
    """The commitments as Decidim reads them, with the mapping that takes them back."""
    path = tmp_path / "decidim.csv"
    words = ["--store", str(demo.root), "export", "--decidim", "--plan", PLAN, str(path)]
    assert CliRunner().invoke(app, words).exit_code == 0
    shipped = resources().data_folder / "mappings/decidim/engagements.yaml"
    mapping = yaml.safe_load(shipped.read_text("utf-8"))
    mapping["constants"] = {
        "Plan d’action": f"plan/{PLAN}",
        "Collectivité": "Commune de Villeneuve-l'Exemple (fictive)",
    }
    path.with_suffix(".yaml").write_text(yaml.safe_dump(mapping, allow_unicode=True), "utf-8")
    return path


def back(repository: Repository, path: Path) -> Proposal:
    files = inputs(path, mapping=path.with_suffix(".yaml"), source="demonstration")
    found = propose(files, repository, Settings.base)
    assert [each.as_dict("fr") for each in found.errors] == []
    return found


def test_what_comes_back_as_it_went_changes_nothing(demo: Repository, exported: Path) -> None:
    found = back(demo, exported)
    assert len(found.parts[0].conversion.rows) > 5
    assert (list(found.change.removed), list(found.change.added)) == ([], [])


def test_a_french_title_leaves_the_english_one(demo: Repository, exported: Path) -> None:
    with exported.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    rows[0][header.index("title/fr")] = "Un autre titre"
    with exported.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    change = back(demo, exported).change.facts()
    assert [quad.object.value for quad in change.added] == ["Un autre titre"]
    assert [quad.object.language for quad in change.removed] == ["fr"]
