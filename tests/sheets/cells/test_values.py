"""What cells say. The tables are the specification."""

import pytest
from pyoxigraph import Literal, NamedNode

from thc_graph.rdf.terms import RDF, XSD
from thc_graph.schema.shapes import PropertyShape, Step
from thc_graph.sheets.cells.values import (
    Period,
    Unreadable,
    is_nothing,
    link,
    literal,
    read,
    split,
)


def shape(*datatypes: NamedNode, **facts: object) -> PropertyShape:
    node = NamedNode("https://x/p")
    return PropertyShape(node, (Step(node),), datatypes=datatypes, **facts)


DATE = shape(XSD["date"], XSD["gYearMonth"], XSD["gYear"])


@pytest.mark.parametrize(
    ("text", "value", "datatype"),
    [
        ("2014-03-30", "2014-03-30", "date"),
        ("30/03/2014", "2014-03-30", "date"),
        ("1/2/2016", "2016-02-01", "date"),
        ("30 mars 2014", "2014-03-30", "date"),
        ("1er août 2015", "2015-08-01", "date"),
        ("le 8 janvier 2021", "2021-01-08", "date"),
        ("mars 2014", "2014-03", "gYearMonth"),
        ("2015-03", "2015-03", "gYearMonth"),
        ("03/2015", "2015-03", "gYearMonth"),
        ("2026", "2026", "gYear"),
        ("3/5/26", "2026-05-03", "date"),
        ("3/5/75", "1975-05-03", "date"),
        ("2015-03-01T10:30", "2015-03-01", "date"),
    ],
)
def test_dates(text: str, value: str, datatype: str) -> None:
    assert literal(text, DATE, "fr") == Literal(value, datatype=XSD[datatype])


@pytest.mark.parametrize(
    ("text", "datatype", "code"),
    [
        ("31/02/2016", "date", "no-such-date"),
        ("Chaque printemps", "date", "bad-date"),
        ("13/13/2016", "date", "no-such-date"),
        ("01/25/2016", "date", "month-first"),
        ("42370", "date", "serial-date"),
        ("2027-2026", "date", "bad-date"),
        ("5e trimestre 2026", "date", "bad-date"),
        ("idem", "string", "ditto"),
        ("douze", "integer", "bad-integer"),
        ("1,5", "integer", "bad-integer"),
        ("beaucoup", "decimal", "bad-decimal"),
        ("peut-être", "boolean", "bad-boolean"),
        ("25:00", "time", "bad-time"),
        ("=A1+1", "integer", "formula"),
        ("#REF!", "date", "formula"),
    ],
)
def test_unreadable(text: str, datatype: str, code: str) -> None:
    with pytest.raises(Unreadable) as fault:
        literal(text, shape(XSD[datatype]), "fr")
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("text", "datatype", "value"),
    [
        ("1 250", "integer", "1250"),
        ("1\u202f250", "integer", "1250"),
        ("12.0", "integer", "12"),
        ("47,7489", "decimal", "47.7489"),
        ("1 250 000,50 €", "decimal", "1250000.5"),
        ("50 %", "decimal", "50"),
        ("Oui", "boolean", "true"),
        ("non", "boolean", "false"),
        ("18h30", "time", "18:30:00"),
    ],
)
def test_readable(text: str, datatype: str, value: str) -> None:
    assert literal(text, shape(XSD[datatype]), "fr").value == value


def test_text_has_the_language_of_its_column() -> None:
    assert literal("Bonjour", shape(RDF["langString"]), "en") == Literal("Bonjour", language="en")


@pytest.mark.parametrize(
    ("text", "template", "expected"),
    [
        ("https://exemple.fr/a", None, "https://exemple.fr/a"),
        ("www.exemple.fr", None, "https://www.exemple.fr"),
        ("2991214", "https://sws.geonames.org/{}/", "https://sws.geonames.org/2991214/"),
        ("a@b.fr", "mailto:{}", "mailto:a@b.fr"),
        ("javascript:alert(1)", None, None),
        ("file:///etc/passwd", None, None),
        ("pas une adresse", None, None),
    ],
)
def test_links(text: str, template: str | None, expected: str | None) -> None:
    property_ = shape(is_iri=True, value_template=template)
    if expected is None:
        with pytest.raises(Unreadable):
            link(text, property_)
    else:
        assert link(text, property_) == NamedNode(expected)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-2027", "2026", "2027"),
        ("2026/2027", "2026", "2027"),
        ("2026 T2", "2026-04", "2026-06"),
        ("T1 2026", "2026-01", "2026-03"),
        ("2e trimestre 2026", "2026-04", "2026-06"),
        ("2e semestre 2026", "2026-07", "2026-12"),
        ("01/03/2015 - 30/06/2015", "2015-03-01", "2015-06-30"),
        ("du 1er mars 2015 au 30 juin 2015", "2015-03-01", "2015-06-30"),
    ],
)
def test_periods(text: str, first: str, last: str) -> None:
    period = read(text, DATE, "fr").term
    assert isinstance(period, Period)
    assert (period.first.value, period.last.value) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["NON REGISTRE", "NON ENCORE FIXE", "NON LANCÉE", "Non ouvert", "NON PRÉVUE", "pas de date"],
)
def test_words_that_say_there_is_no_date(text: str) -> None:
    assert read(text, DATE, "fr").term is None


@pytest.mark.parametrize("text", ["", "-", " ", "NR", "néant", "Non renseigné", "?"])
def test_nothing(text: str) -> None:
    assert is_nothing(text)


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("a | b", {}, ["a", "b"]),
        ("a ; b", {}, ["a", "b"]),
        ("a, b", {}, ["a, b"]),
        ("a, b", {"comma_separates": True}, ["a", "b"]),
        ("a | b", {"max_count": 1}, ["a | b"]),
        ("a | b", {"unique_language": True}, ["a | b"]),
    ],
)
def test_split(text: str, facts: dict, expected: list[str]) -> None:
    assert split(text, shape(XSD["string"], **facts)) == expected
