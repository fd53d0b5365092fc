"""Cleaning: what typing, copying and encoding leave in a cell, mended where that is certain.

Every mending is told; what cannot be mended without guessing is refused.
"""

import re
import unicodedata
from typing import Final

from thc_graph.names import words
from thc_graph.names.words import folded
from thc_graph.sheets.problems import Remark, Unreadable, note, warning

_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_TWICE_ENCODED: Final = re.compile("[ÂÃâÅ][\u0080-\u00bf\u0152-\u0178\u02c6\u2013-\u2122]")
_LOST: Final = "\ufffd"
_PICTOGRAPHS: Final = re.compile(
    "^(?:[\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]\\s*)+"
)
_UNSEEN: Final = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*>")
_MARKS: Final = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1|^#+ ")
_PLAIN: Final = re.compile(r"(?:[^\W_]+[’'. /-])*[^\W_]+")  # a name that needs no look: most do not
_COLON: Final = re.compile(r"\s*:\s*$")
_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")
_ERRORS: Final = ("=", "#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")

PLACEHOLDERS: Final = frozenset({
    "contribution multibao", "sans titre", "titre", "untitled", "lorem ipsum", "a definir", "todo",
})  # fmt: skip
_DITTO: Final = frozenset({"idem", "ditto", "id ci dessus", "voir ci dessus"})
_DITTO_MARKS: Final = frozenset({'"', "''", "〃", "″", "”", "“"})


def clean(text: str) -> tuple[str, tuple[Remark, ...]]:
    """Return a cell's text in one Unicode form, without what nobody sees, and what was mended.

    >>> clean("Communaute\u0301")[0] == "Communaut\u00e9"
    True
    """
    if text.isascii():
        return text, ()
    remarks: list[Remark] = []
    if _TWICE_ENCODED.search(text):
        mended = _decoded_again(text)
        if mended is not None:
            text = mended
            remarks.append(warning("mojibake", value=text))
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        remarks.append(note("composed"))
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text).strip()
        remarks.append(note("invisible", value=text))
    return text, tuple(remarks)


def _decoded_again(text: str) -> str | None:
    """Undo an encoding done twice; only where the round trip proves that it was."""
    try:
        once = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
    return once if once.encode("utf-8").decode("cp1252") == text else None


def refuse_unreadable(text: str) -> None:
    """Refuse what is no value of any type.

    Raises:
        Unreadable: A formula, an error of the spreadsheet, a lost letter or a ditto mark.
    """
    if text.startswith(_ERRORS):
        raise Unreadable("formula")
    if _LOST in text:
        raise Unreadable("lost-letter")
    if text[:1].isdigit() or len(text) > 20:  # noqa: PLR2004 - no ditto is longer
        return
    if text in _DITTO_MARKS or folded(text) in _DITTO:
        raise Unreadable("ditto")


def label(text: str) -> tuple[str, tuple[Remark, ...]]:
    """Return a name without marks of layout before, around and after it.

    Raises:
        Unreadable: It is what a template says where nobody wrote a name.
    """
    if _PLAIN.fullmatch(text) and folded(text) not in PLACEHOLDERS:
        return text, ()
    plain = _TAG.sub("", _UNSEEN.sub("", text)) if "<" in text else text
    plain = _MARKS.sub(lambda found: found[2] or "", _PICTOGRAPHS.sub("", plain))
    plain = _SPACES.sub(" ", _COLON.sub("", plain)).strip()
    if folded(plain) in PLACEHOLDERS or not plain:
        raise Unreadable("placeholder")
    return plain, () if plain == text else (note("cleaned", value=plain),)


def has_pictographs(text: str) -> bool:
    """Say whether a name opens with pictographs: its typed form is kept as another name."""
    return not text.isascii() and bool(_PICTOGRAPHS.match(text))


def prose(text: str) -> tuple[str, tuple[Remark, ...]]:
    """Return a text without HTML; scripts and comments go with what they hold."""
    if "<" not in text:
        return text, ()
    plain = _TAG.sub("", _UNSEEN.sub("", text)).strip()
    return plain, () if plain == text else (note("markup"),)


def code(text: str) -> tuple[str, tuple[Remark, ...]]:
    """Return a code as it is written: see `names.words.code`.

    Raises:
        Unreadable: The exponent has lost digits.
    """
    plain = words.code(text)
    if plain is None:
        raise Unreadable("lost-digits")
    return plain, () if plain == text else (note("cleaned", value=plain),)
