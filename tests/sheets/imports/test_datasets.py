"""Folders: what one publication is made of."""

from pathlib import Path

import pytest

from thc_graph.errors import SheetError
from thc_graph.sheets.imports.datasets import inputs


def test_a_folder_of_sheets_is_one_dataset(tmp_path: Path) -> None:
    for name in ("b.csv", "a.xlsx", ".hidden.csv", "~$a.xlsx", "notes.md"):
        (tmp_path / name).touch()
    found = inputs(tmp_path, source="villes")
    assert [each.path.name for each in found] == ["a.xlsx", "b.csv"]
    assert {each.dataset.id for each in found} == {"villes"}


def test_a_mapping_may_stand_beside_its_sheet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "a.yaml").write_text("sheet: suivi\n")
    assert inputs(tmp_path)[0].mapping.sheet == "suivi"


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="aucune feuille"):
        inputs(tmp_path)


@pytest.mark.parametrize("text", ["[", "other: 1", "- a", "\x00"])
def test_a_mapping_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "a.yaml").write_text(text)
    with pytest.raises(SheetError):
        inputs(tmp_path)
