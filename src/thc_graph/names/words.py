"""Words compared as people mean them: case, accents, apostrophes and spaces set aside.

Only for matching: what is stored keeps the form in which it was typed.
"""

import re
import unicodedata
from functools import lru_cache

_NUMBER = re.compile(r"'?[\d\s\u00a0\u202f]+(?:\.0+)?|'[0-9].*")
_POWER = re.compile(r"(\d)(?:[.,](\d+))?E\+?0?(\d{1,2})", re.IGNORECASE)
_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]")
_OTHER = re.compile(r"[^a-z0-9]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "Œ": "oe", "Æ": "ae"})


@lru_cache(maxsize=1 << 17)
def folded(text: str) -> str:
    """Return `text` as compared.

    >>> folded("  Œuvre d’ÉTÉ n°2 ")
    'oeuvre d ete n 2'
    """
    if text.isascii():
        return _OTHER.sub(" ", text.lower()).strip()
    plain = unicodedata.normalize("NFKD", text.translate(_LIGATURES).casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return _OTHER.sub(" ", letters).strip()


@lru_cache(maxsize=1 << 12)
def heading(text: str) -> str:
    r"""Return a heading as compared: marks of compulsion and text in brackets set aside.

    >>> heading("Horizon\n(année cible) *")
    'horizon'
    """
    return folded(_BRACKETS.sub(" ", text)) or folded(text)


def code(text: str) -> str | None:
    """Return a code as it is written: no spaces, no decimals, no exponent, in capitals.

    None where the exponent has lost digits.

    >>> [code(each) for each in ("68224.0", "68 224", "'68224", "6.8224E4", "2a004", "7E12")]
    ['68224', '68224', '68224', '68224', '2A004', None]
    """
    plain = text
    if power := _POWER.fullmatch(text):
        digits, places = power[1] + (power[2] or ""), int(power[3])
        if len(digits) <= places:
            return None
        plain = digits[: places + 1]
    elif _NUMBER.fullmatch(text):
        plain = _SPACES.sub("", text.removeprefix("'"))
        plain = re.sub(r"\.0+$", "", plain)
    return plain.upper() if plain[:1].isdigit() and plain.isalnum() else plain
