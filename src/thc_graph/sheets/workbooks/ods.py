"""Workbooks as .ods (OpenDocument 1.2), with named lists and checks as one types."""

import io
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from odf import config, dc, meta, style, table, text
from odf.element import Element
from odf.opendocument import OpenDocumentSpreadsheet

from thc_graph.sheets.columns.layout import LISTS, README
from thc_graph.sheets.columns.template import Column, Kind
from thc_graph.sheets.problems import letters
from thc_graph.sheets.workbooks.pages import (
    SPARE,
    Page,
    bounds,
    lists,
    properties,
    readme,
    value,
    width,
)

_STYLES = {
    "heading": {"fontweight": "bold"},
    "example": {"fontstyle": "italic", "color": "#7f7f7f"},
    "plain": {},
}


def as_ods(pages: Sequence[Page], source: str) -> bytes:
    """Return a workbook: how to fill it, a sheet a page, the lists."""
    book = OpenDocumentSpreadsheet()
    for name, look in _STYLES.items():
        _style(book, name, look)
    checks = table.ContentValidations()
    book.spreadsheet.addElement(checks)
    notice = table.Table(name=README)
    for cells in readme(pages):
        notice.addElement(_row([_cell(each) for each in cells]))
    book.spreadsheet.addElement(notice)
    for page in pages:
        book.spreadsheet.addElement(_page(book, page, checks))
    book.spreadsheet.addElement(_lists(pages))
    book.spreadsheet.addElement(_names(pages))
    for name, said in properties(pages, source).items():
        book.meta.addElement(meta.UserDefined(name=name, valuetype="string", text=said))
    book.meta.addElement(dc.Language(text="fr"))
    book.settings.addElement(_frozen([page.name for page in pages]))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _style(book: Any, name: str, look: dict[str, str]) -> None:
    made = style.Style(name=name, family="table-cell")
    made.addElement(style.TableCellProperties(verticalalign="top", wrapoption="wrap"))
    made.addElement(style.TextProperties(**look))
    book.styles.addElement(made)


def _page(book: Any, page: Page, checks: Element) -> Element:
    made = table.Table(name=page.name)
    for place, column in enumerate(page.columns):
        name = f"largeur-{page.template.sheet.slug}-{place}"
        sized = style.Style(name=name, family="table-column")
        size = width(column, page.rows, place) * 0.2
        sized.addElement(style.TableColumnProperties(columnwidth=f"{size:.1f}cm"))
        book.automaticstyles.addElement(sized)
        made.addElement(table.TableColumn(stylename=name, defaultcellstylename="plain"))
        checks.addElement(_check(column, _check_name(page, place), page.name))
    made.addElement(_row([_cell(each, "heading") for each in page.headings]))
    if page.example:
        made.addElement(_row([_cell(each, "example") for each in page.example]))
    for row in page.rows:
        made.addElement(_row(list(_cells(page, row))))
    spare = [_checked(_check_name(page, place)) for place in range(len(page.columns))]
    made.addElement(_row(spare, SPARE))
    return made


def _cells(page: Page, row: Sequence[str]) -> Iterator[Element]:
    """Yield the cells of a row; empty ones side by side are one element."""
    filled = [(place, each) for place, each in enumerate(row)]
    for is_empty, run in groupby(filled, key=lambda each: not each[1]):
        members = list(run)
        if is_empty:
            yield table.TableCell(numbercolumnsrepeated=len(members))
            continue
        for place, said in members:
            kind, name = page.columns[place].kind, _check_name(page, place)
            yield _cell(value(said, kind), check=name)


def _check_name(page: Page, place: int) -> str:
    return f"{page.template.sheet.slug}-{place}"


def _checked(name: str) -> Element:
    return table.TableCell(contentvalidationname=name)


def _row(cells: list[Element], repeated: int = 1) -> Element:
    made = table.TableRow(numberrowsrepeated=repeated) if repeated > 1 else table.TableRow()
    for each in cells:
        made.addElement(each)
    return made


def _cell(said: str | float | date, look: str = "plain", check: str = "") -> Element:
    more = {"contentvalidationname": check} if check else {}
    if isinstance(said, date):
        made = table.TableCell(valuetype="date", datevalue=said.isoformat(), **more)
        lines = [f"{said:%d/%m/%Y}"]
    elif isinstance(said, float):
        made = table.TableCell(valuetype="float", value=repr(said), **more)
        lines = [f"{said:g}"]
    else:
        made = table.TableCell(valuetype="string", stylename=look, **more)
        lines = said.split("\n")
    for line in lines:
        paragraph = text.P()
        _write(paragraph, line)
        made.addElement(paragraph)
    return made


def _write(paragraph: Element, line: str) -> None:
    """Write a line; spaces side by side are an element, or a reader makes them one."""
    for spaces, run in groupby(line, key=lambda char: char == " "):
        said = "".join(run)
        if spaces and len(said) > 1:
            paragraph.addElement(text.S(c=len(said)))
        else:
            paragraph.addText(said)


def _check(column: Column, name: str, sheet: str) -> Element:
    """Return how a column is checked as it is typed: advice, since the import reads more."""
    made = table.ContentValidation(name=name, basecelladdress=f"'{sheet}'.A2", **_condition(column))
    prompt = table.HelpMessage(title=column.name, display="true")
    prompt.addElement(text.P(text=column.help.fr))
    made.addElement(prompt)
    severity = "information" if column.is_multiple or column.kind is Kind.DATE else "warning"
    made.addElement(table.ErrorMessage(messagetype=severity, display="true"))
    return made


def _condition(column: Column) -> dict[str, str]:
    limits = bounds(column.shape)
    if column.choices:
        listed = f"of:cell-content-is-in-list({column.list_name})"
        return {"condition": listed, "displaylist": "unsorted"}
    if column.kind is Kind.NUMBER and limits:
        between = f"of:cell-content-is-decimal-number() and cell-content-is-between({limits[0]:g},"
        return {"condition": f"{between}{limits[1]:g})"}
    return {}


def _lists(pages: Sequence[Page]) -> Element:
    made = table.Table(name=LISTS)
    found = lists(pages)
    made.addElement(_row([_cell(name, "heading") for name in found]))
    for line in range(max(map(len, found.values()), default=0)):
        members = (each[line] if line < len(each) else "" for each in found.values())
        made.addElement(_row([_cell(each) for each in members]))
    return made


def _names(pages: Sequence[Page]) -> Element:
    made = table.NamedExpressions()
    for place, (name, members) in enumerate(lists(pages).items(), start=1):
        column = letters(place)
        address = f"${LISTS}.${column}$2:${LISTS}.${column}${len(members) + 1}"
        base = f"${LISTS}.$A$1"
        made.addElement(table.NamedRange(name=name, cellrangeaddress=address, basecelladdress=base))
    return made


def _frozen(names: list[str]) -> Element:
    """Return the view in which the headings of some sheets stay in sight."""
    split = {"HorizontalSplitMode": 2, "HorizontalSplitPosition": 1, "PositionRight": 1,
             "VerticalSplitMode": 2, "VerticalSplitPosition": 1, "PositionBottom": 1}  # fmt: skip
    tables = config.ConfigItemMapNamed(name="Tables")
    for name in names:
        entry = config.ConfigItemMapEntry(name=name)
        for key, number in split.items():
            kind = "int" if key.endswith(("Position", "Right", "Bottom")) else "short"
            entry.addElement(config.ConfigItem(name=key, type=kind, text=str(number)))
        tables.addElement(entry)
    view = config.ConfigItemMapEntry()
    view.addElement(tables)
    views = config.ConfigItemMapIndexed(name="Views")
    views.addElement(view)
    made = config.ConfigItemSet(name="ooo:view-settings")
    made.addElement(views)
    return made
