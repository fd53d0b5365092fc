"""A dashboard says the same by the index and by SPARQL, whatever day it is."""

from collections import Counter
from datetime import date

import pytest
from pyoxigraph import NamedNode, QuerySolutions, Store

from thc_graph.figures import dashboard
from thc_graph.figures.commitments import read
from thc_graph.figures.dashboard import Asked, Board
from thc_graph.instance.reading import Published
from thc_graph.rdf.terms import THC

pytestmark = pytest.mark.anyio

BASE = "https://data.thc.example/id"
DAY = date(2026, 11, 23)
TOWN = NamedNode(f"{BASE}/territoire/exemple-villeneuve")
PLAN = NamedNode(f"{BASE}/plan/exemple-villeneuve-2024-2027")
UNDER_WAY = NamedNode("https://w3id.org/thc/statut-engagement/en-cours")
TRANSPARENCY = NamedNode("https://w3id.org/thc/democratie-ouverte/transparence")
ASKED = [
    Asked(DAY),
    Asked(DAY, {"territoire": (TOWN,)}),
    Asked(DAY, {"plan": (PLAN,), "statutCourant": (UNDER_WAY,)}),
    Asked(DAY, {"rubrique": (TRANSPARENCY,)}),
    Asked(DAY, {"rubrique": (TRANSPARENCY,)}, dashboard.PASSED),
    *(Asked(DAY, delay=delay) for delay in dashboard.DELAYS),
    Asked(date(2030, 1, 1), delay=dashboard.PASSED),
    Asked(DAY, {"territoire": (NamedNode(f"{BASE}/commune/68224"),)}),
]


async def made(reading: Published, asked: Asked) -> Board:
    found = await dashboard.board(reading, reading.index, asked)
    assert found is not None
    return found


@pytest.mark.parametrize("asked", ASKED)
async def test_the_figures_are_those_of_its_query(
    reading: Published, demo_store: Store, asked: Asked
) -> None:
    found = await made(reading, asked)
    rows = demo_store.query(await dashboard.query_of(reading, asked))
    assert isinstance(rows, QuerySolutions)
    by_status = {row["engagement"]: row["statut"] for row in rows}
    assert found.whole.total == len(by_status) == len(found.rows)
    assert {each.iri for each in found.rows} == set(by_status)
    assert {share.status.iri: share.count for share in found.whole.shares} == Counter(
        by_status.values()
    )
    assert await dashboard.select(reading, reading.index, asked) == [
        e.iri.value for e in found.rows
    ]


async def test_nothing_asked_for_in_vain(reading: Published) -> None:
    counted = [(await made(reading, asked)).whole.total for asked in ASKED]
    assert counted[0] == 14
    assert sum(counted[5:9]) < 14  # what is done or given up waits for no deadline
    assert counted[-1] == 0


async def test_progress_is_the_derived_one_with_its_author(
    reading: Published, demo_store: Store
) -> None:
    for each in (await made(reading, Asked(DAY))).rows:
        quads = demo_store.quads_for_pattern(each.iri, THC["progressionCourante"], None, None)
        derived = {float(str(quad.object.value)) for quad in quads}  # of graph and union
        shown = each.progress
        told = {float(shown.progress.value)} if shown and shown.progress else set()
        assert told == derived
        assert each.standing is None or each.standing.status == each.status
        assert not shown or (shown.author and shown.date)


async def test_what_is_to_watch(reading: Published) -> None:
    found = await made(reading, Asked(DAY))
    today = 20261123
    closed = {each.iri for each in found.statuses if not each.is_open}
    open_ = [each for each in found.rows if each.status not in closed]
    told = {each.iri: each.last for each in open_}
    assert {e.iri for e in found.passed.commitments} == {e.iri for e in open_ if e.ends < today}
    assert {e.iri for e in found.soon.commitments} == {
        e.iri for e in open_ if today <= e.ends <= 20270223
    }
    assert {e.iri for e in found.silent.commitments} == {
        iri for iri, last in told.items() if last is None or last.date.value < "2026-05-23"
    }
    assert all(found.is_passed(each) for each in found.passed.commitments)
    assert {e.iri for e in found.changed.commitments} == {
        e.iri for e in found.rows if e.last and e.last.date.value >= "2026-05-23"
    }


async def test_lines_count_what_their_address_finds(reading: Published) -> None:
    found = await made(reading, Asked(DAY))
    for facet, lines in (("rubrique", found.pillars), ("territoire", found.territories)):
        for line in lines:
            assert line.term is not None
            narrowed = await made(reading, Asked(DAY, {facet: (line.term,)}))
            assert (line.total, line.shares) == (narrowed.whole.total, narrowed.whole.shares)


async def test_there_is_no_page_beyond_the_last(reading: Published) -> None:
    assert await dashboard.board(reading, reading.index, Asked(DAY, number=2)) is None


async def test_what_is_no_commitment_is_not_read(reading: Published) -> None:
    assert await read(reading, [f"{BASE}/engagement/rien"], "fr") == {}
