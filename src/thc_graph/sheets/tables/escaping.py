r"""Escaping: values written in cells so that they are read back as they were.

Two dangers. A cell that opens with `=`, `+`, `-` or `@` is a formula to the program
that opens a CSV file: it is written after an apostrophe, as people type it. A value
that holds the mark which separates the values of a cell is written `\|`.
"""

import re

_RUN = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # full-width forms too
_OPENS = re.compile(f"'*{_RUN}")
_ESCAPED = re.compile(f"'+{_RUN}")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def guarded(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula; a number stays one.

    >>> guarded("=1+1"), guarded("-12,5")
    ("'=1+1", '-12,5')
    """
    return f"'{text}" if _OPENS.match(text) and not _NUMBER.fullmatch(text) else text


def plain(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def marked(value: str, marks: str) -> str:
    """Return one of several values of a cell; `marks` are those that would cut it."""
    return re.sub(rf"([{re.escape(marks)}])", r"\\\1", value)


def cut(text: str, marks: str) -> list[str]:
    """Return the values of a cell, without what `marked` put in."""
    mark = rf"[{re.escape(marks)}]"
    parts = re.split(rf"(?<!\\){mark}", text)
    return [re.sub(rf"\\({mark})", r"\1", part).strip() for part in parts if part.strip()]
