"""Mappings: foreign headings, and what their cells mean (docs/mappings.md)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from thc_graph.errors import SheetError
from thc_graph.names.words import folded, heading
from thc_graph.sheets.tables.reading import Row


@dataclass(frozen=True)
class HeadingMapping:
    """A declared mapping: foreign headings → ours, and what their cells mean (docs/mappings.md).

    `values` are by our heading, typed → read; `forms` too, with `{}` or `{:02}`
    (completed with zeros to that length) for what is typed.
    """

    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, list[str]] = field(default_factory=dict)

    def keeps(self, header: tuple[str, ...], row: Row) -> bool:
        """Say whether a row is of the sheet: `only` is by foreign heading, what stands there."""
        said = dict(zip(map(folded, header), row.cells, strict=False))
        return all(
            folded(said.get(folded(name), "")) in map(folded, map(str, wanted))
            for name, wanted in self.only.items()
        )

    def read_as(self) -> Mapping[str, Callable[[str], str]]:
        """Return, by folded heading of ours, what turns a typed cell into the one read."""
        names = {heading(name) for name in (*self.values, *self.forms)}
        return {name: partial(_mapped, *self._meaning(name)) for name in names}

    def _meaning(self, name: str) -> tuple[Mapping[str, str], str]:
        values = next((v for k, v in self.values.items() if heading(k) == name), {})
        form = next((v for k, v in self.forms.items() if heading(k) == name), "")
        return {folded(str(typed)): str(read) for typed, read in values.items()}, form


_FORM: Final = re.compile(r"\{(?::0(\d))?\}")


def _mapped(values: Mapping[str, str], form: str, text: str) -> str:
    if folded(text) in values:
        return values[folded(text)]
    if not form or not text:
        return text
    return _FORM.sub(lambda found: text.zfill(int(found[1] or 0)), form)


def read_mapping(path: Path) -> HeadingMapping:
    """Read a mapping file (YAML; docs/mappings.md).

    Raises:
        SheetError: It is not one; says why.
    """
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        return HeadingMapping(**found)
    except (yaml.YAMLError, TypeError, UnicodeDecodeError) as fault:
        raise SheetError(path.name, str(fault)) from fault
