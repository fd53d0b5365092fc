"""Words compared as people mean them: case, accents, apostrophes and spaces set aside.

Only for matching: what is stored keeps the form in which it was typed.
"""

import re
import unicodedata
from functools import lru_cache

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
