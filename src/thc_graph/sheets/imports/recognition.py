"""Recognition: the sheets that files hold, in the order in which they depend on one another."""

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from pyoxigraph import NamedNode

from thc_graph.errors import SheetError
from thc_graph.names.words import folded
from thc_graph.schema.model import Schema
from thc_graph.schema.shapes import Sheet
from thc_graph.sheets.columns.layout import Layout, layout, members, recognised
from thc_graph.sheets.imports.conversion import Given
from thc_graph.sheets.imports.datasets import Input
from thc_graph.sheets.problems import Problem, Severity, message
from thc_graph.sheets.tables.reading import Row, Table, read_tables

_SILENT = frozenset(
    {"rapport", "mode d emploi", "lisez moi", "listes"}
)  # sheets that our own files carry


def recognise(
    files: Iterable[Input], schema: Schema, base: str
) -> tuple[list[Given], list[Problem]]:
    """Return the sheets that files hold, and what is to be said of those left out.

    Raises:
        SheetError: A file is no table, or holds no sheet that is known.
        OSError: A file cannot be opened.
    """
    given: list[Given] = []
    problems: list[Problem] = []
    for each in files:
        given += _declared(each, schema, base)
        given += _tables(each, schema, base, problems)
    return _in_order(given, schema), problems


def _declared(each: Input, schema: Schema, base: str) -> Iterator[Given]:
    """Yield the rows that a mapping declares."""
    for slug, rows in each.mapping.before.items():
        headings = list(dict.fromkeys(heading for row in rows for heading in row))
        lines = [headings, *([str(row.get(h, "")) for h in headings] for row in rows)]
        numbered = tuple(Row(n, tuple(cells)) for n, cells in enumerate(lines, start=1))
        table = Table(f"{each.path.name} › {slug}", "", numbered)
        graph = each.dataset.graph(base, slug)
        yield Given(table, layout(table, schema, slug), graph, each, declared=True)


def _tables(each: Input, schema: Schema, base: str, problems: list[Problem]) -> list[Given]:
    found: list[Given] = []
    tables = read_tables(each.path)
    shown = [t for t in tables if len(tables) == 1 or folded(t.name) not in _SILENT]
    for table in shown:
        is_alone = len(shown) == 1
        understood = _understood(table, each, schema, is_alone)
        if understood is not None:
            graph = each.dataset.graph(base, understood.sheet.slug)
            found.append(Given(table, understood, graph, each))
        elif not is_alone:
            text = message("ignored-sheet", read=table.name)
            cell = table.cell(1)
            problems.append(Problem(cell, Severity.NOTE, table.name, text, "ignored-sheet"))
    if not found:
        raise SheetError(each.path.name, message("no-sheet").fr)
    return found


def _understood(table: Table, each: Input, schema: Schema, is_alone: bool) -> Layout | None:  # noqa: FBT001
    if is_alone:
        return layout(table, schema, each.sheet, each.mapping)
    found = recognised(table, schema, None, each.mapping) if table.rows else None
    return found if found and each.sheet in (None, found.sheet.slug) else None


def _in_order(given: list[Given], schema: Schema) -> list[Given]:
    """Sort tables so that what names entities comes first; those that need nothing stay put."""
    sheets = list(dict.fromkeys(each.layout.sheet for each in given))
    places = {slug: place for place, slug in enumerate(_order(sheets, schema))}
    return sorted(given, key=lambda each: places[each.layout.sheet.slug])


def _order(sheets: list[Sheet], schema: Schema) -> list[str]:
    """Return the sheets' slugs, each after those whose entities its keys are made of."""
    made = {s.slug: _made(s, schema) for s in sheets}
    needed = {
        s.slug: [o for o in made if o != s.slug and made[o] & (_needed(s, schema) - made[s.slug])]
        for s in sorted(sheets, key=lambda sheet: sheet.order)
    }
    try:
        return list(TopologicalSorter(needed).static_order())
    except CycleError:
        return list(needed)


def _made(sheet: Sheet, schema: Schema) -> set[NamedNode]:
    return {class_ for member in members(sheet, schema) for class_ in member.classes}


def _needed(sheet: Sheet, schema: Schema) -> set[NamedNode]:
    """Return the classes whose entities stand in the keys of what a sheet's rows make."""
    shapes = filter(None, (schema.naming(class_) for class_ in _made(sheet, schema)))
    keys = (schema.property(key) for s in shapes for key in (*s.key, *s.fallback_key))
    return {below for key in keys for c in key.classes for below in schema.descendants(c)}
