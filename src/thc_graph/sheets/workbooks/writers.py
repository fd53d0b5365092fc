"""Workbooks: pages as one file, in the format that a file's suffix says."""

from collections.abc import Callable, Sequence
from typing import Final

from thc_graph.sheets.workbooks.ods import as_ods
from thc_graph.sheets.workbooks.pages import Page, as_csv
from thc_graph.sheets.workbooks.xlsx import as_xlsx

Writer = Callable[[Sequence[Page], str], bytes]  # given pages, and the name of their dataset

WRITERS: Final[dict[str, Writer]] = {
    ".xlsx": as_xlsx,
    ".ods": as_ods,
    ".csv": lambda pages, _source: as_csv(pages[0]),
}
