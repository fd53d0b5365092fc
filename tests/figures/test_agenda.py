"""The agenda says the same by the index and by SPARQL, on whatever day."""

from datetime import date

import pytest
from pyoxigraph import NamedNode, QuerySolutions, Store

from thc_graph.figures import agenda
from thc_graph.figures.agenda import Asked
from thc_graph.instance.reading import Published
from thc_graph.rdf.terms import THC

pytestmark = pytest.mark.anyio

BASE = "https://data.thc.example/id"
VISITS = NamedNode(f"{BASE}/serie/visites")
TOWN = NamedNode(f"{BASE}/territoire/exemple-villeneuve")


@pytest.mark.parametrize("day", [date(2024, 10, 12), date(2026, 11, 23), date(2026, 12, 10)])
@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize(
    "filters", [{}, {"type": (THC["Visite"],)}, {"serie": (VISITS,)}, {"territoire": (TOWN,)}]
)
async def test_events_are_those_of_its_query(
    reading: Published,
    demo_store: Store,
    day: date,
    past: bool,  # noqa: FBT001  it is a parameter of the test
    filters: dict[str, tuple[NamedNode, ...]],
) -> None:
    asked = Asked(day, filters, past=past)
    found = await agenda.agenda(reading, reading.index, asked)
    rows = demo_store.query(agenda.query_of(reading, asked))
    assert isinstance(rows, QuerySolutions)
    assert found is not None
    shown = [event for _, events in found.months for event in events]
    assert {event.iri for event in shown} == {row["evenement"] for row in rows}
    assert len(shown) == found.total
    starts = [event.start.value for event in shown]
    assert starts == sorted(starts, reverse=past)
    everything = await agenda.files(reading, reading.index, asked)
    assert found.total + found.others == len(everything)


async def test_the_rhythm_of_a_series(reading: Published) -> None:
    kept = {each.series: each for each in await agenda.rhythms(reading, reading.index)}
    assert kept[VISITS].events == 2
    assert "2026-04/2026-06" in kept[VISITS].missing
