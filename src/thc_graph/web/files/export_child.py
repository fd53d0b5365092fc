"""The exporting process: one snapshot, one export at a time, no network, a parent that may kill it.

Started as `python -I -m thc_graph.web.files.export_child PARENT`. It speaks the frames of
`processes.frames`: the first says what to open, each other a file to write and what to
write there. What it reads (pickles) comes from its parent alone.
"""

import asyncio
import base64
import os
import pickle
import sys
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from pyoxigraph import QuerySolutions, Store, Triple

from thc_graph.instance.reading import Published
from thc_graph.instance.settings import Settings
from thc_graph.processes import frames, walls
from thc_graph.rdf.terms import Term
from thc_graph.schema.model import Schema
from thc_graph.search.index import Index, nothing, open_index
from thc_graph.store.library import Filling, Library
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.web.files import agenda, dashboard, lists
from thc_graph.web.files.forms import Form, Job, Source
from thc_graph.web.rendering.templates import Messages, read_messages, translator

NICENESS: Final = 10  # pages come first
FORMS: Final[dict[str, tuple[Form[Any], ...]]] = {
    each.__name__: each.FORMATS for each in (lists, dashboard, agenda)
}

Made = TypeVar("Made")


@dataclass
class Alone:
    """A `Reader` that asks the snapshot itself: nobody else waits in this process."""

    settings: Settings
    schema: Schema
    library: Library
    snapshot: Snapshot
    made: dict[Hashable, Any] = field(default_factory=dict)

    @cached_property
    def store(self) -> Store:
        return self.snapshot.store()

    @cached_property
    def index(self) -> Index:
        ruled = self.settings.is_ruled
        return open_index(self.snapshot, self.schema) if ruled else nothing(self.schema)

    @cached_property
    def time(self) -> datetime:
        return datetime.fromtimestamp(int(self.snapshot.path.stat().st_mtime), UTC)

    @cached_property
    def messages(self) -> Messages:
        return read_messages()

    async def bindings(self, name: str, **terms: Filling) -> list[dict[str, Term]]:
        rows = cast("QuerySolutions", self.store.query(self.library.fill(name, **terms)))
        names = [each.value for each in rows.variables]
        return [
            {name: term for name, term in zip(names, row, strict=True) if term is not None}
            for row in rows
        ]

    async def graph(self, name: str, **terms: Filling) -> list[Triple]:
        return list(cast("Any", self.store.query(self.library.fill(name, **terms))))

    async def aside(self, work: Callable[[], Made]) -> Made:
        return work()

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        if key not in self.made:
            self.made[key] = await make()
        found: Made = self.made[key]
        return found


async def written(reading: Alone, job: Job) -> bytes:
    """Return the file that a job asks for."""
    form = next(each for each in FORMS[job.forms] if each.suffix == job.suffix)
    source = Source(
        cast(Published, reading),  # noqa: TC006 - it stands in for one
        job.asked,
        job.language,
        reading.settings.base,
        reading.settings.title,
        translator(reading.messages, job.language),
    )
    return await form.write(source)


def main() -> None:
    walls.depend_on(int(sys.argv[1]))
    os.nice(NICENESS)
    frames.send({"kind": "ready", "network_cut": walls.cut_network()})
    reading: Alone | None = None
    while (request := frames.receive()) is not None:
        try:
            if reading is None:
                reading = Alone(*pickle.loads(base64.b64decode(request["opening"])))  # noqa: S301
                walls.limit_memory(request["memory"])
            else:
                job = pickle.loads(base64.b64decode(request["job"]))  # noqa: S301
                Path(request["path"]).write_bytes(asyncio.run(written(reading, job)))
        except MemoryError:
            os.abort()
        except Exception as fault:  # noqa: BLE001 - the parent tells the visitor, and logs it
            frames.send({"kind": "failed", "message": repr(fault)})
        else:
            frames.send({"kind": "done"})


if __name__ == "__main__":
    main()
