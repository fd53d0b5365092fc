"""Names that never change: the table is a promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thc_graph.rdf.iris import MAX_SLUG, entity, kind_and_key, slug

BASE = "https://data.thc.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mulhouse", "mulhouse"),
        ("L’Haÿ-les-Roses", "l-hay-les-roses"),
        ("C1.1", "c1-1"),
        ("SD-A2.10", "sd-a2-10"),
        ("Œuvre d'été n° 2", "oeuvre-d-ete-n-2"),
        ("  ", ""),
    ],
)
def test_slug(text: str, expected: str) -> None:
    assert slug(text) == expected


@given(st.text(max_size=200))
def test_a_slug_is_its_own_slug(text: str) -> None:
    assert slug(slug(text)) == slug(text)
    assert len(slug(text)) <= MAX_SLUG


@pytest.mark.parametrize(
    ("iri", "expected"),
    [
        (f"{BASE}/id/commune/68224", ("commune", "68224")),
        (f"{BASE}/id/commune/", None),
        (f"{BASE}/doc/commune/68224", None),
        ("https://elsewhere.example/id/commune/68224", None),
    ],
)
def test_kind_and_key(iri: str, expected: tuple[str, str] | None) -> None:
    assert kind_and_key(iri, BASE) == expected


def test_entity_reads_back() -> None:
    assert kind_and_key(entity(BASE, "gap", "jardins").value, BASE) == ("gap", "jardins")
