"""The tables are RFC 9110, sections 12.4.2, 12.5.1 and 12.5.4."""

import pytest

from thc_graph.web.http.negotiation import acceptable, choose, codings, language

OFFERED = ("text/html", "text/turtle", "application/ld+json")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        (BROWSER, "text/html"),
        ("text/turtle", "text/turtle"),
        ("TEXT/TURTLE", "text/turtle"),
        ("text/turtle;q=0.9", "text/turtle"),
        ("text/turtle; charset=utf-8; q=0.9, application/ld+json;q=0.8", "text/turtle"),
        ("text/*;q=0.5, application/ld+json", "application/ld+json"),
        ("text/*, text/html;q=0.1", "text/turtle"),
        ("text/html;q=0, */*", "text/turtle"),
        ("text/html;q=0, */*;q=0", None),
        ("application/*", "application/ld+json"),
        ("image/png", None),
        (",;,", None),
        ("text/html;q=.3, text/turtle;q=.9", "text/turtle"),
        ("application/rdf+xml, text/turtle;q=.9, */*;q=.1", "text/turtle"),
        ("text/html;q=0., text/turtle;q=.1", "text/turtle"),
        ("text/html;q=1.000, text/turtle;q=0.999", "text/html"),
        ("text/html;q=0.12345, text/turtle;q=0.2", "text/turtle"),
        ("text/html;q=.5;x=1, text/turtle; Q=0.6", "text/turtle"),
        ("text/html ; q = .3 , text/turtle\t;\tq=.4", "text/turtle"),
        ("text/html;q=9, text/turtle", "text/html"),
        ("text/html;q=nan, text/turtle;q=0.9", "text/html"),
        ("text/html;q=-1, text/turtle;q=.1", "text/turtle"),
        ('text/turtle;profile="a,text/html;q=1",text/html;q=0.5', "text/turtle"),
        ('text/html;a="x\\",";q=0.1, text/turtle;q=.2', "text/turtle"),
        ('text/html;a=";q=0"', "text/html"),
        ("text/ turtle, text/html", "text/html"),
    ],
)
def test_choose(accept: str, expected: str | None) -> None:
    assert choose(accept, OFFERED) == expected


def test_acceptable_keeps_our_order_among_equals() -> None:
    found = acceptable("text/*;q=0.5, application/ld+json, image/png", OFFERED)
    assert found == ("application/ld+json", "text/html", "text/turtle")


@pytest.mark.parametrize(
    ("accept_language", "asked", "expected"),
    [
        ("", None, "fr"),
        ("en", None, "en"),
        ("en-GB,en;q=0.9,fr;q=0.8", None, "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", None, "fr"),
        ("de, *;q=0.5", None, "fr"),
        ("fr;q=0, *", None, "en"),
        ("fr", "en", "en"),
        ("en", "xx", "en"),
        ("fr;q=.3, en;q=.8", None, "en"),
        ("fr;q=.8,en;q=.3", None, "fr"),
    ],
)
def test_language(accept_language: str, asked: str | None, expected: str) -> None:
    assert language(accept_language, asked) == expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, deflate, br, zstd", ("br", "gzip")),
        ("gzip, br;q=0.5", ("gzip", "br")),
        ("x-gzip", ("gzip",)),
        ("*", ("br", "gzip")),
        ("*;q=0", ()),
        ("identity", ()),
        ("gzip;q=0", ()),
        ("gzip;q=0, *", ("br",)),
        ("gzip;q=0.5, identity", ()),
        ("gzip;q=0.5, br, identity;q=0.8", ("br",)),
        ("identity;q=0, gzip;q=0.1", ("gzip",)),
        ("br", ("br",)),
        ("zstd", ()),
    ],
)
def test_codings(accept_encoding: str, expected: tuple[str, ...]) -> None:
    assert codings(accept_encoding, ("br", "gzip")) == expected
