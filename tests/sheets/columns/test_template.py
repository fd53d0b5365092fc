"""Templates: what people are given to fill, and the schemas by which others check it."""

import json
import re
from pathlib import Path

import frictionless
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thc_graph.instance.settings import resources
from thc_graph.schema.reading import read_schema
from thc_graph.sheets.cells import values
from thc_graph.sheets.cells.values import Unreadable
from thc_graph.sheets.columns.layout import layout
from thc_graph.sheets.columns.template import Kind, Template, template
from thc_graph.sheets.imports.rows import entities
from thc_graph.sheets.tables import escaping
from thc_graph.sheets.tables.reading import read_tables
from thc_graph.sheets.workbooks import metadata
from thc_graph.sheets.workbooks.pages import Page, as_csv
from thc_graph.sheets.workbooks.writers import WRITERS

FOLDERS = resources()
SCHEMA = read_schema(FOLDERS.ontology_folder, FOLDERS.shapes_folder)
SLUGS = sorted(SCHEMA.sheets)


def made(slug: str, *languages: str) -> Template:
    return template(SCHEMA.sheets[slug], SCHEMA, languages or ("fr",))


@given(st.text())
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    guarded = escaping.guarded(text)
    assert escaping.plain(guarded) == text
    assert guarded[:1] not in set("=@\t\r")
    assert guarded[:1] not in set("+-") or re.fullmatch(r"[+-]?\d+([.,]\d+)?", guarded)


@given(st.lists(st.text(alphabet="ab|;,\\ '=-\n", min_size=1).map(str.strip).filter(bool)))
def test_the_values_of_a_cell_come_back(texts: list[str]) -> None:
    for marks in ("|\n", "|;\n", "|;,\n"):
        cell = " | ".join(escaping.marked(each, marks) for each in texts)
        assert escaping.cut(cell, marks) == texts


@pytest.mark.parametrize("form", sorted(WRITERS))
@pytest.mark.parametrize("slug", SLUGS)
def test_a_template_is_recognised_and_says_nothing(form: str, slug: str, tmp_path: Path) -> None:
    path = tmp_path / f"modele{form}"
    path.write_bytes(WRITERS[form]([Page(made(slug, "fr", "en"))], "feuilles"))
    table = next(t for t in read_tables(path) if t.name not in ("Lisez-moi", "Listes"))
    found = layout(table, SCHEMA)
    assert found.sheet.slug == slug
    assert found.ignored == ()
    assert list(entities(table, found, [])) == []  # the example is shown, never read


@pytest.mark.parametrize("slug", SLUGS)
def test_every_column_has_help_and_an_example_of_its_type(slug: str) -> None:
    for column in made(slug).columns[1:]:
        assert column.help.fr
        assert column.help.en
        assert column.shape is not None
        if column.kind in (Kind.DATE, Kind.NUMBER, Kind.YES_NO):
            try:
                values.literal(column.example, column.shape, "fr")
            except Unreadable:  # pragma: no cover - says which
                pytest.fail(f"{column.name}: {column.example!r}")


def test_a_workbook_guides_the_hand(tmp_path: Path) -> None:
    path = tmp_path / "suivi.xlsx"
    path.write_bytes(WRITERS[".xlsx"]([Page(made("suivi"))], "feuilles"))
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Lisez-moi", "Suivi d’avancement", "Listes"]
    sheet = book["Suivi d’avancement"]
    assert sheet.freeze_panes == "B2"
    headings = [cell.value for cell in sheet[1]]
    assert headings[:4] == ["Identifiant", "Réf. engagement *", "Date *", "Statut"]
    assert sheet["A2"].value == "Exemple :"
    assert sheet["D2"].value == "En cours"
    assert sheet.column_dimensions["A"].width > 9
    rules = {str(r.sqref).partition("2")[0]: r for r in sheet.data_validations.dataValidation}
    status = rules["D"]
    assert (status.type, status.formula1) == ("list", "Liste_statut_engagement")
    percent = rules["E"]
    assert (percent.type, percent.formula1, percent.formula2) == ("decimal", "0.0", "100.0")
    assert rules["C"].type == "date"
    assert rules["B"].prompt
    listed = book.defined_names["Liste_statut_engagement"].attr_text
    assert listed.startswith("Listes!$")
    said = {p.name: p.value for p in book.custom_doc_props.props}
    assert said["thc-modele"] == "suivi"
    assert said["thc-version"]


def test_a_code_keeps_its_zeros(tmp_path: Path) -> None:
    form = made("territoires")
    place = [c.name for c in form.columns].index("Code INSEE")
    row = tuple("01004" if n == place else "" for n in range(len(form.columns)))
    for suffix, write in WRITERS.items():
        path = tmp_path / f"codes{suffix}"
        path.write_bytes(write([Page(form, (row,))], "feuilles"))
        table = next(t for t in read_tables(path) if t.name not in ("Lisez-moi", "Listes"))
        assert table.rows[-1].cells[place] == "01004"


@pytest.mark.parametrize("slug", SLUGS)
def test_the_table_schema_is_one(slug: str, tmp_path: Path) -> None:
    form = made(slug, "fr", "en")
    described = frictionless.Schema.from_descriptor(metadata.table_schema(form))
    (tmp_path / "vide.csv").write_bytes(as_csv(Page(form)))
    resource = frictionless.Resource(
        path="vide.csv", basepath=str(tmp_path), schema=described, encoding="utf-8"
    )
    report = resource.validate()
    assert report.valid, report.flatten(["type", "note"])


def test_the_table_schema_names_the_faults(tmp_path: Path) -> None:
    form = made("suivi")
    names = [column.name for column in form.columns]
    good = dict.fromkeys(names, "") | {
        "Réf. engagement": "T1",
        "Date": "2025-03",
        "Statut": "En cours",
    }
    bad = good | {"Date": "", "Statut": "Jokér", "Progression (%)": "130"}
    rows = tuple(tuple(row[name] for name in names) for row in (good, bad))
    (tmp_path / "suivi.csv").write_bytes(as_csv(Page(form, rows)))
    described = frictionless.Schema.from_descriptor(metadata.table_schema(form))
    report = frictionless.Resource(
        path="suivi.csv", basepath=str(tmp_path), schema=described, encoding="utf-8"
    ).validate()
    faults = report.flatten(["rowNumber", "fieldName", "type"])
    assert faults == [
        [3, name, "constraint-error"] for name in ("Date", "Statut", "Progression (%)")
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_csvw_describes_the_columns_in_their_order(slug: str) -> None:
    form = made(slug, "fr", "en")
    described = json.loads(json.dumps(metadata.csvw(form)))
    assert described["@context"][0] == "http://www.w3.org/ns/csvw"
    assert described["url"] == f"{slug}.csv"
    columns = described["tableSchema"]["columns"]
    header = as_csv(Page(form)).decode().splitlines()[0]
    assert [each["titles"] for each in columns] == [c.name for c in form.columns]
    assert all(each["titles"] in header for each in columns)
    names = [each["name"] for each in columns]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)
