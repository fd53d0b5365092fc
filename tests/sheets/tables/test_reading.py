"""Files as offices write them, and files made to harm. Each is made by its test."""

import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from odf import opendocument, table, text
from openpyxl.comments import Comment

from thc_graph.errors import SheetError
from thc_graph.sheets.tables.reading import LIMITS, read_tables

ROWS = [["Nom", "Créé le"], ["Été", "2015"]]


def cells(path: Path) -> list[list[str]]:
    (found,) = read_tables(path)
    return [list(row.cells) for row in found.rows]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv(tmp_path: Path, mark: str, encoding: str, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(mark.join(row) for row in ROWS).encode(encoding))
    assert cells(path) == ROWS


def codes(path: Path) -> list[str]:
    return [note.code for each in read_tables(path) for note in each.notes]


def test_windows_1252_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Nom\nÉté\n".encode("cp1252"))
    assert codes(path) == ["windows-1252"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('a;b\n"1;2";3\n"4,5,6,7";8\n', [["a", "b"], ["1;2", "3"], ["4,5,6,7", "8"]]),
        ("Titre, avec virgules, trois\na;b\n1;2\n3;4\n", None),
        ('a,b\r\n"x\ny",2\n3,4\r\n', [["a", "b"], ["x\ny", "2"], ["3", "4"]]),
        (f"a,b\n{'x' * 200_000},2\n", [["a", "b"], ["x" * 200_000, "2"]]),
        ("a,b\n\n , \n1,2\n", None),
    ],
)
def test_what_csv_files_hold(tmp_path: Path, written: str, expected: list | None) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(written.encode())
    if expected is None:
        assert cells(path)[-1] in (["3", "4"], ["1", "2"])
    else:
        assert cells(path) == expected


def test_rows_have_the_numbers_people_see(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n\n"x\ny",2\n3,4\n')
    assert [row.line for row in read_tables(path)[0].rows] == [1, 3, 4]


def as_xlsx(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("Feuille")
        sheet.write_row(1, 1, ["Nom", "Code", "Part", "Jour", "Ouvert"])
        sheet.write_row(2, 1, [" Été ", 68224, 0.5])
        sheet.write_datetime(2, 4, datetime(2015, 3, 1, tzinfo=UTC).replace(tzinfo=None), day)
        sheet.write_boolean(2, 5, True)  # noqa: FBT003 - a cell's value
        book.add_worksheet("Autre").write(0, 0, "x")


def as_ods(path: Path) -> None:
    book = opendocument.OpenDocumentSpreadsheet()
    for name, rows in {
        "Feuille": [
            [],
            ["", "Nom", "Code", "Part", "Jour", "Ouvert"],
            ["", "Été", 68224.0, 0.5, date(2015, 3, 1), True],
        ],
        "Autre": [["x"]],
    }.items():
        sheet = table.Table(name=name)
        for row in rows:
            line = table.TableRow()
            for value in row:
                line.addElement(ods_cell(value))
            sheet.addElement(line)
        book.spreadsheet.addElement(sheet)
    book.save(path)


def ods_cell(value: object) -> table.TableCell:
    match value:
        case bool():
            return table.TableCell(valuetype="boolean", booleanvalue=str(value).lower())
        case float():
            return table.TableCell(valuetype="float", value=str(value))
        case date():
            return table.TableCell(valuetype="date", datevalue=value.isoformat())
    cell = table.TableCell(valuetype="string")
    if value:
        cell.addElement(text.P(text=str(value)))
    return cell


@pytest.mark.parametrize("write", [as_xlsx, as_ods])
def test_workbooks(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "a.classeur"  # what a file is, its bytes say
    write(path)
    first, second = read_tables(path)
    assert (first.name, second.name) == ("Feuille", "Autre")
    assert [(row.line, *row.cells) for row in first.rows] == [
        (2, "", "Nom", "Code", "Part", "Jour", "Ouvert"),
        (3, "", "Été", "68224", "0.5", "2015-03-01", "oui"),
    ]
    assert ("not-looked-for" in codes(path)) is (write is as_ods)


def test_what_a_second_look_finds(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Nom", "Total", "Erreur"])
    sheet.append(["a", "=SUM(1,2)", "#REF!"])
    sheet["C2"].data_type = "e"
    sheet["A2"].comment = Comment("À revoir", "x")
    sheet.row_dimensions[2].hidden = True
    book.create_sheet("Cachée").append(["x"])
    book["Cachée"].sheet_state = "hidden"
    book.save(path)
    first, second = read_tables(path)
    assert first.rows[1].cells == ("a", "=SUM(1,2)", "#REF!")
    assert [(str(n.cell), n.code, n.read) for n in (*first.notes, *second.notes)] == [
        ("Sheet!ligne 2", "hidden-row", ""),
        ("Sheet!A2", "comment", "À revoir"),
        ("Cachée!ligne 1", "hidden-sheet", ""),
    ]


def refusal(path: Path, **limits: int) -> str:
    with pytest.raises(SheetError) as refused:
        read_tables(path, LIMITS | limits)
    return refused.value.problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x89PNG\0\0", "octets nuls"),
        (b"Nom\n\xc3\xa9t\xe9\x81\n", "l'octet 8"),
        (b"PK\x03\x04rest", "ne s'ouvre pas"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "ne s'ouvre pas"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert told in refusal(path)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"bytes": 10}, "limite de 0 Mo"),
        ({"columns": 2}, "2 colonnes"),
        ({"rows": 2}, "2 lignes"),
        ({"ratio": 1}, "taux de 1"),
        ({"answer": 20}, "Mo de texte"),
        ({"seconds": 0}, "limite de 0 s"),
    ],
)
def test_each_limit_is_named(tmp_path: Path, limits: dict[str, int], told: str) -> None:
    path = tmp_path / "a.xlsx"
    as_xlsx(path)
    assert told in refusal(path, **limits)


def test_the_memory_limit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "x,y\n" * 4_000_000)
    assert "mémoire" in refusal(path, memory=60_000_000, rows=10**9)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    as_xlsx(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/media/zeros.bin", bytes(30_000_000))
    assert "taux de 100" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_no_dtd_is_followed(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.xlsx"
    as_xlsx(path)
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/entities.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode(encoding))
    assert "DTD" in refusal(path)


def test_a_file_that_cannot_be_opened_is_no_fault_of_its_content(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        read_tables(tmp_path / "absent.csv")
