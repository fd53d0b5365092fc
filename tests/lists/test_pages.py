"""A list says the same by its index, by its facets' counts and by its SPARQL query."""

import asyncio
from collections.abc import Iterable

import pytest
from pyoxigraph import NamedNode, QuerySolutions, Store

from thc_graph.instance.reading import Published
from thc_graph.lists import addresses, kinds, pages, rows, selection
from thc_graph.lists.addresses import Asked

pytestmark = pytest.mark.anyio

BASE = "https://data.thc.example"


def asked(reading: Published, kind: str, *given: tuple[str, str]) -> Asked:
    found = addresses.read(reading.schema, BASE, kind, given)
    assert found is not None
    return found


def by_index(reading: Published, wanted: Asked) -> list[str]:
    return selection.select(reading.index, wanted, "fr")[1]


def by_sparql(reading: Published, store: Store, wanted: Asked) -> list[str]:
    found = store.query(selection.query_of(reading, reading.index, wanted))
    assert isinstance(found, QuerySolutions)
    return [row["entity"].value for row in found]


NARROWED = [
    ("experience",),
    ("experience", ("resultat", "reussite")),
    ("experience", ("resultat", "reussite"), ("resultat", "echec")),
    ("experience", ("territoire", "region/11")),
    ("experience", ("territoire", "region/11"), ("resultat", "reussite")),
    ("experience", ("debut", "2016")),
    ("experience", ("q", "budgets participatifs")),
    ("experience", ("q", "ECOLES"), ("territoire", "territoire/exemple-villeneuve")),
    ("engagement", ("statutCourant", "en-cours"), ("echeance", "2025")),
    ("engagement", ("territoire", "territoire/exemple-villeneuve"), ("q", "l’élu")),
    ("commune", ("departement", "departement/68"), ("q", "mulh")),
    ("commune", ("q", "saint etienne")),
    ("commune", ("q", "oeuvre")),
    ("commune", ("q", "68100")),
    ("commune", ("region", "region/44"), ("type", "TerritoireAdherent")),
    ("evenement", ("type", "Seminaire"), ("type", "Visite")),
    ("collectivite", ("typeCollectivite", "commune"), ("q", "val")),
    ("voc", ("q", "theme")),
]


@pytest.mark.parametrize("narrowed", NARROWED, ids=str)
async def test_a_list_and_its_query_find_the_same(
    reading: Published, demo_store: Store, narrowed: tuple[str, ...]
) -> None:
    wanted = asked(reading, *narrowed)
    listed = by_index(reading, wanted)
    assert len(set(listed)) == len(listed)
    assert sorted(listed) == sorted(by_sparql(reading, demo_store, wanted))


async def test_the_lists_compared_are_not_all_empty(reading: Published) -> None:
    sizes = [len(by_index(reading, asked(reading, *narrowed))) for narrowed in NARROWED]
    assert sum(size > 0 for size in sizes) >= len(NARROWED) - 3, sizes


@pytest.mark.parametrize("narrowed", [each for each in NARROWED if each[0] != "commune"], ids=str)
async def test_a_facet_counts_what_choosing_its_value_finds(
    reading: Published, demo_store: Store, narrowed: tuple[str, ...]
) -> None:
    wanted = asked(reading, *narrowed)
    page = await pages.page(reading, reading.index, BASE, wanted)
    assert page is not None
    for facet in page.facets:
        for choice in facet.choices[:2]:
            alone = {**wanted.filters, facet.slug: (choice.value,)}
            chosen = Asked(wanted.kind, wanted.text, alone)
            assert choice.count == len(by_sparql(reading, demo_store, chosen)), (facet, choice)


async def test_all_values_of_a_facet_are_shown_to_who_asks(reading: Published) -> None:
    page = await pages.page(reading, reading.index, BASE, asked(reading, "commune"))
    assert page
    (short,) = (facet for facet in page.facets if facet.slug == "departement")
    opened = asked(reading, "commune", ("tout", short.slug))
    whole = await pages.page(reading, reading.index, BASE, opened)
    assert whole
    (long,) = (facet for facet in whole.facets if facet.slug == short.slug)
    assert (short.more, long.more) == (True, False)
    assert long.choices[: len(short.choices)] == short.choices


@pytest.mark.parametrize("kind", ["experience", "commune", "engagement", "evenement", "fiche"])
async def test_what_stands_for_a_value_in_an_address_is_read_back(
    reading: Published, kind: str
) -> None:
    page = await pages.page(reading, reading.index, BASE, asked(reading, kind))
    assert page is not None
    assert page.facets
    shapes = kinds.facets_of(reading.schema, kinds.classes_of(reading.schema, kind))
    for facet in page.facets:
        for choice in facet.choices:
            assert addresses.value_of(shapes[facet.slug], choice.token, BASE) == choice.value


def names(rows: Iterable[rows.Row]) -> list[str]:
    return [row.label.value for row in rows if row.label]


async def test_names_come_in_the_order_of_a_french_reader(reading: Published) -> None:
    page = await pages.page(reading, reading.index, BASE, asked(reading, "departement"), size=200)
    assert page is not None
    told = names(page.rows)
    assert told.index("Essonne") < told.index("Eure") < told.index("Hérault") < told.index("Isère")


async def test_the_largest_places_can_come_first(reading: Published) -> None:
    page = await pages.page(
        reading, reading.index, BASE, asked(reading, "commune", ("tri", "population"))
    )
    assert page is not None
    assert names(page.rows)[0] == "Paris"


async def test_all_pages_together_are_the_list(reading: Published) -> None:
    first = await pages.page(reading, reading.index, BASE, asked(reading, "departement"), size=40)
    assert first is not None
    assert (first.total, first.of, first.pages) == (101, 101, 3)
    found: list[NamedNode] = []
    for number in range(1, first.pages + 1):
        wanted = asked(reading, "departement", ("page", str(number)))
        page = await pages.page(reading, reading.index, BASE, wanted, size=40)
        assert page is not None
        found += [row.iri for row in page.rows]
    assert len(set(found)) == first.total


async def test_what_narrows_hides_no_page(reading: Published) -> None:
    """More values than are read narrow nothing; page, words and order stay what they are."""
    many = [("departement", f"departement/{number:02}") for number in range(200)]
    found = asked(reading, "commune", *many, ("page", "3"), ("q", "saint"))
    assert (found.number, found.text) == (3, "saint")
    assert len(found.filters["departement"]) == addresses.MAX_FILTERS


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("nulle-part", []),
        ("commune", [("page", "x")]),
        ("commune", [("page", "²")]),
        ("commune", [("tri", "couleur")]),
        ("experience", [("tri", "population")]),
    ],
)
async def test_what_is_no_list(reading: Published, kind: str, given: list[tuple[str, str]]) -> None:
    assert addresses.read(reading.schema, BASE, kind, given) is None


@pytest.mark.parametrize("token", ["> <x", "\\", "}", "http://[", "x y", "é", "\0"])
async def test_no_value_of_an_address_becomes_syntax(
    reading: Published, demo_store: Store, token: str
) -> None:
    wanted = asked(reading, "experience", ("resultat", token), ("debut", token), ("q", token))
    await asyncio.to_thread(by_sparql, reading, demo_store, wanted)
    assert by_index(reading, wanted) == sorted(by_sparql(reading, demo_store, wanted))
