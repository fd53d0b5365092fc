"""Words: how texts are cut, folded and stemmed, on the index's side and on the reader's.

A list is narrowed by words in two places that must agree: the index, and the SPARQL
query of the page. `begins` is that rule, said as a regular expression: a word typed is
found where a word of the text begins with it, whatever the accents; a final s or x may
also be missing there.
"""

import re
import unicodedata
from functools import cache
from typing import Final

import tantivy

MAX_WORDS: Final = 8
MAX_LENGTH: Final = 200  # characters of a question that are read

_LIGATURES: Final = {"œ": "oe", "æ": "ae", "ß": "ss"}
_ACCENTED: Final = {
    "a": "aàáâãäåāăą", "c": "cçćč", "d": "dďđ", "e": "eèéêëēęě", "g": "gğ", "i": "iìíîïī",
    "l": "lł", "n": "nñńň", "o": "oòóôõöøō", "r": "rř", "s": "sśšş", "t": "tťţ",
    "u": "uùúûüūů", "y": "yýÿ", "z": "zźżž",
}  # fmt: skip
_OUTSIDE: Final = r"[^\p{Alphabetic}\p{N}]"
_LONG_PLURAL: Final = 4  # letters from which a final s or x may be a plural


def analyzers() -> dict[str, tantivy.TextAnalyzer]:
    """Return what cuts texts into terms, by the name the index knows each by."""
    return {"plain": _plain(), "fr": _stemmed("french"), "en": _stemmed("english")}


@cache
def _plain() -> tantivy.TextAnalyzer:
    return _folding().build()


@cache
def _stemmed(language: str) -> tantivy.TextAnalyzer:
    # Accents go before the stem is taken: « egalite » and « égalité » must end alike.
    stopped = _folding().filter(tantivy.Filter.custom_stopword(_STOPPED[language].split()))
    return stopped.filter(tantivy.Filter.stemmer(language)).build()


def _folding() -> tantivy.TextAnalyzerBuilder:
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    return builder.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold())


_STOPPED: Final = {
    "french": (
        "a au aux avec ce ces cette d dans de des du elle en est et il ils j je l la le les leur "
        "leurs m mais me n ne nos notre nous on ou par pas plus pour qu que qui s sa se ses si son "
        "sont sur t te un une vos votre vous y"
    ),
    "english": "a an and are as at be by for from in is it its of on or the to was with",
}


def words(text: str) -> list[str]:
    """Return the words of a question, folded; what is past the limits is not read.

    >>> words("L’Haÿ-les-Roses")
    ['l', 'hay', 'les', 'roses']
    """
    return list(_plain().analyze(composed(text)[:MAX_LENGTH]))[:MAX_WORDS]


def meaning(text: str) -> list[str]:
    """Return the words of a question without those that carry none, all if none is left."""
    found = words(text)
    return [word for word in found if word not in _STOPPED["french"].split()] or found


def stem(word: str, language: str) -> str:
    """Return what the index knows a word by, "" for one it does not keep.

    >>> stem("citoyennes", "fr")
    'citoyen'
    """
    return next(iter(analyzers()[language].analyze(word)), "")


def key(text: str) -> str:
    """Return a name as it is compared whole: folded, its words one space apart.

    >>> key("Saint-Étienne ")
    'saint etienne'
    """
    return " ".join(_plain().analyze(composed(text)))


def sort_key(name: str) -> str:
    """Return what names are ordered by.

    >>> sort_key("Évry-Courcouronnes")
    'evry-courcouronnes'
    """
    if name.isascii():
        return name.casefold()
    letters = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "Oe"))
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()


def composed(text: str) -> str:
    """Return a text with each accented letter as one character, as the index folds it."""
    return unicodedata.normalize("NFC", text)


def singular(word: str) -> str | None:
    """Return a word without the s or x that may be a plural's, None where there is none."""
    return word[:-1] if len(word) >= _LONG_PLURAL and word[-1] in "sx" else None


def begins(word: str) -> str:
    """Return the pattern (XPath regular expressions, flag i) of texts a word is found in."""
    one = singular(word)
    ended = f"|{_letters(one)}({_OUTSIDE}|$)" if one else ""
    return f"(^|{_OUTSIDE})({_letters(word)}{ended})"


def _letters(word: str) -> str:
    written = "".join(f"[{_ACCENTED[c]}]" if c in _ACCENTED else re.escape(c) for c in word)
    for ligature, letters in _LIGATURES.items():
        apart = "".join(f"[{_ACCENTED[c]}]" for c in letters)
        written = written.replace(apart, f"({apart}|{ligature})")
    return written
