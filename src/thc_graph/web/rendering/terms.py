"""Writing: terms as people read them, as text and as HTML.

Pages write terms by the hundred; this is Python, where a template would take several
calls for each.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup, escape
from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import PREFIXES, XSD, Term

NUMBERS: Final = frozenset({XSD["integer"], XSD["decimal"], XSD["double"], XSD["float"]})
DATE, MONTH, YEAR, BOOLEAN = (XSD[n] for n in ("date", "gYearMonth", "gYear", "boolean"))
SHORT: Final = 200  # characters of a text that is remembered as pages write it
MONTH_LENGTH: Final = len("2016-03")
TIME: Final = XSD["time"]
LOCALES: Final = {"fr": "fr", "en": "en_GB"}  # of dates and numbers
NO_BREAK: Final = "\u00a0"
NARROW: Final = "\u202f"
_WIDE: Final = re.compile(r"(?<=«) | (?=[»:])")
_APOSTROPHE: Final = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")  # between letters
_NARROW: Final = re.compile(r" (?=[;!?%€])")
SPACES: Final = sorted(PREFIXES.items(), key=lambda item: -len(item[1]))


@dataclass(frozen=True)
class Written:
    """A literal as people read it; `moment` and `language` are for the markup, or empty."""

    text: str
    moment: str = ""
    language: str = ""


@dataclass(frozen=True)
class Writing:
    """How terms are written for a reader of one language.

    Args:
        language: "fr" or "en".
        truth: The words for true and false.
        local: Where a reader of these pages follows an IRI; None if nowhere.
        link: Makes an address of ours one that keeps the reader's language.
    """

    language: str
    truth: Mapping[str, str]
    local: Callable[[str], str | None]
    link: Callable[[str], str]

    def written(self, literal: Literal) -> Written:
        if literal.language:
            foreign = "" if literal.language == self.language else literal.language
            text = typeset(literal.value) if literal.language == "fr" else literal.value
            return Written(text, language=foreign)
        if literal.datatype == BOOLEAN:
            return Written(self.truth.get(literal.value, literal.value))
        typed = _typed if len(literal.value) < SHORT else _typed.__wrapped__
        return typed(literal, self.language)

    def text(self, literal: Literal) -> Markup:
        """Return a literal as HTML, with the moment it stands for or the language it is in."""
        it = self.written(literal)
        if it.moment:
            return _markup(f'<time datetime="{escape(it.moment)}">{escape(it.text)}</time>')
        if it.language:
            tag = escape(it.language)
            mark = f'<span class="langue" aria-hidden="true">({tag})</span>'
            return _markup(f'<span lang="{tag}">{escape(it.text)}</span> {mark}')
        return escape(it.text)

    def name(self, term: NamedNode, label: Literal | None) -> Markup:
        return self.text(label) if label else escape(curie(term.value))

    def title(self, term: NamedNode, label: Literal | None) -> str:
        """Return what a page is about, as plain text."""
        return self.written(label).text if label else curie(term.value)

    def word(self, term: NamedNode | Literal, label: Literal | None = None) -> Markup:
        """Return what a term is called, without a link."""
        return self.text(term) if isinstance(term, Literal) else self.name(term, label)

    def naming(self, labels: Mapping[str, Literal | None]) -> Callable[[NamedNode], Markup]:
        """Give what calls nodes by some labels, each by its IRI."""
        return lambda node: self.name(node, labels.get(node.value))

    def show(self, term: Term, label: Literal | None) -> Markup:
        """Return a literal as HTML, or the link to what an IRI names, with its name."""
        if isinstance(term, Literal):
            return self.text(term)
        target = self.local(term.value) if isinstance(term, NamedNode) else None
        if target is None or not isinstance(term, NamedNode):
            return _markup(f'<span class="iri">{escape(getattr(term, "value", str(term)))}</span>')
        name = self.name(term, label)
        if target.startswith("/"):
            return _markup(f'<a href="{escape(self.link(target))}">{name}</a>')
        return _markup(f'<a href="{escape(target)}" rel="external noopener">{name}</a>')


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704  whatever is put into it was escaped


@lru_cache(maxsize=1_000)
def _typed(literal: Literal, language: str) -> Written:
    """Return a number or a date as a language writes it; as it stands where it is none."""
    text, datatype = literal.value, literal.datatype
    try:
        if datatype in NUMBERS:
            return Written(
                str(format_decimal(text, format="#,##0.######", locale=LOCALES[language]))
            )
        if datatype == DATE:
            return Written(
                format_date(date.fromisoformat(text), "long", locale=LOCALES[language]), text
            )
        if datatype == MONTH:
            first = date.fromisoformat(f"{text[:MONTH_LENGTH]}-01")
            return Written(format_date(first, "MMMM y", locale=LOCALES[language]), text)
        if datatype == TIME:
            return Written(hour(time.fromisoformat(text), language), text)
    except (ValueError, ArithmeticError):
        return Written(text)
    return Written(text, text if datatype == YEAR else "")


def hour(moment: time, language: str) -> str:
    """Return an hour as people write it.

    >>> hour(time(9), "fr").replace(NO_BREAK, "_"), hour(time(12, 30), "en")
    ('9_h', '12:30')
    """
    if language != "fr":
        return f"{moment:%H:%M}"
    minutes = f"{NO_BREAK}{moment:%M}" if moment.minute else ""
    return f"{moment.hour}{NO_BREAK}h{minutes}"


def typeset(text: str) -> str:
    """Return a French text as pages show it: Imprimerie nationale's apostrophes and spaces.

    Our own sentences and the texts of the data look alike on a page. Data are never
    changed: files, RDF and what machines read of a page hold them as they were given.

    >>> typeset("« D'où ? » : 3 %").replace(NO_BREAK, "_").replace(NARROW, "~")
    '«_D’où~?_»_: 3~%'
    """
    return _typeset(text) if len(text) < SHORT else _typeset.__wrapped__(text)


@lru_cache(maxsize=1_000)
def _typeset(text: str) -> str:
    wide = _WIDE.sub(NO_BREAK, _APOSTROPHE.sub("’", text))
    return _NARROW.sub(NARROW, wide)


@lru_cache(maxsize=1_000)
def number(value: float, language: str) -> str:
    return str(format_decimal(value, locale=LOCALES[language]))


def curie(iri: str) -> str:
    """Return the short form of an IRI, or the IRI without its scheme.

    >>> curie("http://www.w3.org/2000/01/rdf-schema#label")
    'rdfs:label'
    """
    prefix = next(((p, space) for p, space in SPACES if iri.startswith(space)), None)
    if prefix:
        return f"{prefix[0]}:{iri.removeprefix(prefix[1])}"
    return iri.removeprefix("https://").removeprefix("http://").removeprefix("mailto:")
