"""The workbook that comes back: each fault in its cell, and what was right as it was."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

import stores
from thc_graph.instance.settings import Settings
from thc_graph.sheets.imports.datasets import inputs
from thc_graph.sheets.imports.load import Options, load
from thc_graph.sheets.workbooks.annotation import annotate
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long

RED, YELLOW = "FFF9D6D2", "FFFFF2C2"
HEAD = ("Nom", "Type d'acteur", "Slogan", "Site web")
ROWS = (
    ("Alpha", "association", "Un", "https://exemple.fr"),
    ("Beta", "planète", "=1+1", "pas une adresse"),
    ("", "association", "Trois", ""),
)


@pytest.fixture(scope="module")
def store(vocabulary: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return stores.copied(vocabulary, tmp_path_factory.mktemp("annotating"))


def write_csv(path: Path, rows: tuple[tuple[str, ...], ...]) -> None:
    path.write_text("\n".join(";".join(row) for row in (HEAD, *rows)), "utf-8")


def write_workbook(path: Path) -> None:
    """Write a workbook as coordinators have them: a title, a colour, a list, a comment."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Acteurs d'ici"
    sheet.append(["Nos acteurs"])
    sheet.append([])
    for row in (HEAD, *ROWS):
        sheet.append(row)
    sheet["C5"].data_type = "s"
    sheet["A4"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet["A4"].comment = Comment("À relire", "Camille")
    choices = DataValidation("list", formula1='"association,entreprise"')
    choices.add("B4:B100")
    sheet.add_data_validation(choices)
    sheet.column_dimensions["A"].width = 33
    book.create_sheet("Notes")["A1"] = "à garder"
    book.save(path)


def report(store: Repository, path: Path, to: Path, *, partial: bool = False) -> Workbook:
    options = Options(base=Settings.base, author="Essai", partial=partial)
    found = load(inputs(path), store, options)
    annotate(found.proposal.parts, found.problems, found.refused, to, "fr")
    return load_workbook(to)


@pytest.fixture
def book(store: Repository, tmp_path: Path) -> Workbook:
    write_workbook(tmp_path / "acteurs.xlsx")
    return report(store, tmp_path / "acteurs.xlsx", tmp_path / "retour.xlsx")


def test_a_fault_is_told_by_colour_comment_and_words(book: Workbook) -> None:
    sheet = book["Acteurs d'ici"]
    for cell, said in (("B5", "n'est pas dans la liste"), ("D5", "adresse web")):
        assert sheet[cell].fill.fgColor.rgb == RED
        assert said in sheet[cell].comment.text
        assert said in sheet["E5"].value
    assert sheet["E3"].value == "Rapport"
    assert sheet["E5"].value.startswith("Type d'acteur : ")
    assert sheet["E6"].value  # a row without a name has no cell of its own to mark
    assert sheet["E4"].value is None


def test_what_was_right_is_as_it_was(book: Workbook) -> None:
    sheet = book["Acteurs d'ici"]
    assert sheet["A4"].fill.fgColor.rgb == "FF00FF00"
    assert sheet["A4"].comment.text == "À relire"
    assert [cell.value for cell in sheet[4]][:4] == list(ROWS[0])
    assert sheet.column_dimensions["A"].width == 33
    assert sheet.data_validations.dataValidation[0].formula1 == '"association,entreprise"'
    assert book["Notes"]["A1"].value == "à garder"


def test_the_first_sheet_links_to_every_cell(book: Workbook) -> None:
    front = book.worksheets[0]
    assert front.title == "Rapport"
    assert front["A1"].value.startswith("Erreurs : ")
    rows = list(front.iter_rows(min_row=5))
    links = {row[0].value: row[0].hyperlink.location for row in rows if row[0].hyperlink}
    assert links["Acteurs d'ici!B5"] == "'Acteurs d''ici'!B5"
    assert all(row[4].value for row in rows)


def test_corrected_it_loads_as_it_is(store: Repository, book: Workbook, tmp_path: Path) -> None:
    sheet = book["Acteurs d'ici"]
    for cell, value in {"B5": "entreprise", "C5": "Deux", "D5": "", "A6": "Gamma"}.items():
        sheet[cell] = value
    book.save(tmp_path / "corrigé.xlsx")
    again = load(
        inputs(tmp_path / "corrigé.xlsx"), store, Options(base=Settings.base, author="Essai")
    )
    assert again.exit_code == 0, [each.as_dict("fr") for each in again.problems]
    assert again.proposal.entities["added"] == 3


def test_a_second_report_takes_the_first_away(
    store: Repository, book: Workbook, tmp_path: Path
) -> None:
    book["Acteurs d'ici"]["B5"] = "entreprise"
    book.save(tmp_path / "corrigé.xlsx")
    sheet = report(store, tmp_path / "corrigé.xlsx", tmp_path / "encore.xlsx")["Acteurs d'ici"]
    assert sheet["B5"].comment is None
    assert sheet["B5"].fill.fgColor.rgb != RED
    assert sheet["D5"].fill.fgColor.rgb == RED
    assert [cell.value for cell in sheet[3]] == [*HEAD, "Rapport"]
    assert sheet["A4"].comment.text == "À relire"


def test_a_csv_becomes_a_workbook_line_for_line(store: Repository, tmp_path: Path) -> None:
    write_csv(tmp_path / "acteurs.csv", ROWS)
    sheet = report(store, tmp_path / "acteurs.csv", tmp_path / "retour.xlsx")["acteurs"]
    assert [cell.value for cell in sheet[2]][:4] == list(ROWS[0])
    assert sheet["C3"].data_type == "s"  # text, and no formula
    assert sheet["C3"].value == "=1+1"
    assert sheet["D3"].fill.fgColor.rgb == RED


def test_with_partial_only_the_refused_rows_come_back(store: Repository, tmp_path: Path) -> None:
    write_csv(tmp_path / "acteurs.csv", ROWS)
    path = tmp_path / "refus.xlsx"
    sheet = report(store, tmp_path / "acteurs.csv", path, partial=True)["acteurs"]
    assert [row[0].value for row in sheet.iter_rows()] == ["Nom", "Beta", None]
    assert sheet["D2"].fill.fgColor.rgb == RED
    assert sheet["E3"].value


def test_a_workbook_that_would_lose_its_lists_is_written_afresh(
    store: Repository, tmp_path: Path
) -> None:
    path = tmp_path / "acteurs.xlsx"
    write_workbook(path)
    with_extension(path)
    book = report(store, path, tmp_path / "retour.xlsx")
    assert book.sheetnames == ["Rapport", "Acteurs d ici"]
    assert book["Acteurs d ici"]["D5"].fill.fgColor.rgb == RED


def with_extension(path: Path) -> None:
    """Add a list of choices as an extension, as Excel writes one that names another sheet."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    extension = (
        b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" '
        b'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"/></extLst>'
    )
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b"<legacyDrawing", extension + b"<legacyDrawing")
    if extension not in parts[name]:
        parts[name] = parts[name].replace(b"</worksheet>", extension + b"</worksheet>")
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)


@pytest.mark.all
def test_libreoffice_reads_it_comments_in_place(book: Workbook, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: libreoffice-calc")
    home, out = tmp_path / "home", tmp_path / "out"
    subprocess.run(
        [office, f"-env:UserInstallation=file://{home}", "--headless",
         "--convert-to", "ods", "--outdir", out, tmp_path / "retour.xlsx"],
        check=True, capture_output=True, timeout=200,
    )  # fmt: skip
    subprocess.run(
        [office, f"-env:UserInstallation=file://{home}", "--headless",
         "--convert-to", "xlsx", "--outdir", out, out / "retour.ods"],
        check=True, capture_output=True, timeout=200,
    )  # fmt: skip
    sheet = load_workbook(out / "retour.xlsx")["Acteurs d'ici"]
    before = book["Acteurs d'ici"]
    for cell in ("B5", "D5", "A4"):
        assert sheet[cell].comment.text.split() == before[cell].comment.text.split()
    assert sheet["B5"].fill.fgColor.rgb == RED
    assert sheet["E5"].value == before["E5"].value
