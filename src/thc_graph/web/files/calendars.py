"""Calendars: what has a date, as iCalendar (RFC 5545), for those who subscribe to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from icalendar import Calendar, Event

from thc_graph.web.http.responses import PARIS

MEDIA_TYPE: Final = "text/calendar"
PRODUCT: Final = "-//thc-graph//thc-graph//FR"


@dataclass(frozen=True)
class Entry:
    """One event of a calendar; a day without hour lasts the whole day, `end` included."""

    uid: str
    title: str
    start: date | datetime
    end: date | datetime | None = None
    text: str = ""
    place: str = ""
    url: str = ""
    status: str = ""  # of RFC 5545, section 3.8.1.11


def calendar(name: str, entries: Iterable[Entry], stamp: datetime) -> bytes:
    """Return a calendar; `stamp` is when its data were published."""
    found = Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    found.add("x-wr-calname", name)
    found.add("x-wr-timezone", str(PARIS))
    first = stamp.date()
    for entry in entries:
        found.add_component(_event(entry, stamp))
        first = min(first, entry.start.date() if isinstance(entry.start, datetime) else entry.start)
    found.add_missing_timezones(first_date=first)
    content: bytes = found.to_ical()
    return content


def _event(entry: Entry, stamp: datetime) -> Event:
    found = Event()
    found.add("uid", entry.uid)
    found.add("dtstamp", stamp.astimezone(UTC))
    found.add("summary", entry.title)
    found.add("dtstart", entry.start)
    end = _end(entry)
    if end:
        found.add("dtend", end)
    said = {
        "description": entry.text,
        "location": entry.place,
        "url": entry.url,
        "status": entry.status,
    }
    for name, text in said.items():
        if text:
            found.add(name, text)
    return found


def _end(entry: Entry) -> date | datetime | None:
    """Return the end, which is no longer part of the event (section 3.6.1)."""
    if isinstance(entry.start, datetime):
        return entry.end if isinstance(entry.end, datetime) else None
    return (entry.end or entry.start) + timedelta(1)
