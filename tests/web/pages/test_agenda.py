"""The agenda over HTTP, and the calendars one subscribes to."""

from datetime import date, datetime

import httpx
import pytest
from icalendar import Calendar

pytestmark = pytest.mark.anyio


async def test_a_calendar_to_subscribe_to(demo_client: httpx.AsyncClient) -> None:
    answer = await demo_client.get("/agenda.ics?lang=fr")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = Calendar.from_ical(answer.content)
    events = {str(each["summary"]): each for each in found.walk("VEVENT")}
    assert len(events) == 9
    assert not any(each.errors for each in found.walk())
    assert len({str(each["uid"]) for each in events.values()}) == len(events)
    visit = events["Visite du jardin partagé des Tilleuls (fictive)"]
    assert visit["dtstart"].dt == datetime(2027, 3, 18, 10, tzinfo=visit["dtstart"].dt.tzinfo)
    assert visit["dtstart"].params["TZID"] == "Europe/Paris"
    vote = events["Vote du budget participatif 2026 (fictif)"]  # of several days
    assert (vote["dtstart"].dt, vote["dtend"].dt) == (date(2026, 12, 5), date(2026, 12, 13))
    assert events["Bouillonnement démocratique d’automne (fictif)"]["status"] == "CANCELLED"


async def test_one_event_for_ones_own_calendar(demo_client: httpx.AsyncClient) -> None:
    whole = Calendar.from_ical((await demo_client.get("/agenda.ics")).content)
    for event in whole.walk("VEVENT"):
        path = str(event["uid"]).removeprefix("https://data.thc.example/id/")
        answer = await demo_client.get(f"/doc/{path}.ics")
        (alone,) = Calendar.from_ical(answer.content).walk("VEVENT")
        assert str(alone["uid"]) == str(event["uid"])
    assert (await demo_client.get("/doc/evenement/rien.ics")).status_code == 404


@pytest.mark.parametrize("suffix", ["ics", "csv", "atom", "rq"])
async def test_the_manners_of_a_file(demo_client: httpx.AsyncClient, suffix: str) -> None:
    answer = await demo_client.get(f"/agenda.{suffix}")
    head = await demo_client.head(f"/agenda.{suffix}")
    known = {"If-None-Match": answer.headers["etag"]}
    again = await demo_client.get(f"/agenda.{suffix}", headers=known)
    assert (answer.status_code, head.status_code, again.status_code) == (200, 200, 304)
    media_type = answer.headers["content-type"].partition(";")[0]
    by_accept = await demo_client.get("/agenda", headers={"Accept": media_type})
    assert by_accept.headers["content-type"] == answer.headers["content-type"]


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/agenda", "text/html", 200),
        ("/agenda?periode=passe&type=Visite", "text/html", 200),
        ("/agenda?page=9", "text/html", 404),
        ("/agenda.zip", "*/*", 404),
        ("/agenda", "image/png", 406),
        ("/doc/evenement/inconnu.ics", "*/*", 404),
        ("/doc/evenement/%3C%01.ics", "*/*", 404),
    ],
)
async def test_what_an_address_gives(
    demo_client: httpx.AsyncClient, path: str, accept: str, status: int
) -> None:
    assert (await demo_client.get(path, headers={"Accept": accept})).status_code == status
