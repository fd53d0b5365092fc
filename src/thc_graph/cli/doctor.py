"""`thc-graph doctor`: is this store whole, is this machine fit, and what to do if not."""

import asyncio
import fcntl
import platform
import shutil
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from thc_graph import __version__
from thc_graph.cli import console, harms
from thc_graph.cli.app import app, opened
from thc_graph.errors import StoreError, StoreUnsound
from thc_graph.instance.settings import Settings
from thc_graph.people import tokens
from thc_graph.sheets.imports.journal import entries
from thc_graph.store.engine.pool import Pool
from thc_graph.store.history import purge
from thc_graph.store.snapshots.snapshot import Snapshot
from thc_graph.store.writes import recovery
from thc_graph.store.writes.checkup import Finding, Level, examine
from thc_graph.store.writes.replay import is_equal
from thc_graph.store.writes.repository import Repository

MEBIBYTE = 1 << 20
ROOM = 2  # times the store: a snapshot is built beside the one it replaces
BROKEN = "children-broken"  # among the codes of findings

_MARK = {Level.FAULT: "✖", Level.WARNING: "⚠", Level.GOOD: "✔"}


@app.command()
def doctor(
    context: typer.Context,
    strict: Annotated[bool, typer.Option("--strict", help="Compte les avertissements.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Refait d'abord ce qui se dérive de l'historique.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Vérifie le magasin, publication par publication, et la machine ; dit que faire."""
    settings, repository = opened(context, sure=False)
    if repair:
        with suppress(StoreUnsound):  # what cannot be made again is found again, and named
            _repair(repository)
    told = []
    for each in _findings(settings, repository):
        text = _text(each, context.obj.language)
        told.append({"level": each.level, "code": each.code, **each.facts, "text": text})
        if not json:
            console.data(f"{_MARK[each.level]} {text}")
    if json:
        console.as_json(told)
    levels = {each["level"] for each in told}
    if Level.FAULT in levels:
        raise typer.Exit(1)
    raise typer.Exit(4 if strict and Level.WARNING in levels else 0)


def _repair(repository: Repository) -> None:
    """Make again what is derived of the history: what its seals tell of, or the history alone.

    Raises:
        StoreUnsound: A file is harmed that cannot be made again, or nothing can be written.
        StoreLocked: Another process is writing.
    """
    recovery.make_sure(repository, thorough=True)
    if recovery.is_closed(repository.root):
        return
    with repository.writing() as writer:
        published = repository.current()
        if published is not None and not _stands(repository, published):
            writer.remake(published)


def _stands(repository: Repository, published: Snapshot) -> bool:
    return is_equal(repository, published) and asyncio.run(_children(published)).code != BROKEN


def _text(finding: Finding, language: str) -> str:
    facts = dict(finding.facts)
    if "harm" in facts:
        facts |= harms.described(str(facts["file"]), str(facts["harm"]), language)
    text: str = harms.words()[finding.code][language].format(**facts)
    return text


def _findings(settings: Settings, repository: Repository) -> Iterator[Finding]:
    facts = {
        "program": __version__,
        "python": platform.python_version(),
        "engine": version("pyoxigraph"),
    }
    yield Finding(Level.GOOD, "versions", {**facts})
    yield from _lock(settings.store)
    yield from _disk(settings.store)
    yield from _notices(settings)
    snapshot = recovery.pointed(settings.store)
    if snapshot is not None:
        yield asyncio.run(_children(snapshot))
    yield from _private(settings.store)
    yield from examine(repository)


def _lock(root: Path) -> Iterator[Finding]:
    """Look at the lock without taking it: the store may be one that cannot be written."""
    with suppress(FileNotFoundError), (root / "lock").open(errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield Finding(Level.WARNING, "locked", {"pid": file.read().strip() or "?"})


def _private(root: Path) -> Iterator[Finding]:
    """Look at what is nobody's to make again: each file's form, which is all that can be held."""
    for reading in (tokens.listed, purge.begun, purge.check_key):
        try:
            reading(root)
        except StoreUnsound as fault:
            yield Finding(Level.FAULT, "file-harmed", {"file": fault.file, "harm": fault.harm})
        except StoreError:
            pass
    lost: list[str] = []
    for _ in entries(root, lost.append):
        pass
    for file in lost:
        yield Finding(Level.FAULT, "file-harmed", {"file": file, "harm": "unreadable"})


def _disk(root: Path) -> Iterator[Finding]:
    size = 0
    for path in root.rglob("*"):
        with suppress(OSError):  # a writer's drafts come and go
            size += path.stat().st_size if path.is_file() else 0
    free = shutil.disk_usage(root).free
    facts: dict[str, str | int] = {"free": free // MEBIBYTE, "used": size // MEBIBYTE}
    low = free < ROOM * size
    yield Finding(Level.WARNING, "disk-low", facts) if low else Finding(Level.GOOD, "disk", facts)


def _notices(settings: Settings) -> Iterator[Finding]:
    missing = ", ".join(settings.missing())
    if missing:
        yield Finding(Level.WARNING, "public-incomplete", {"names": missing})
    else:
        yield Finding(Level.GOOD, "public")


async def _children(snapshot: Snapshot) -> Finding:
    """Start one query process of each lane, as the server does, and look at it."""
    pool = Pool(snapshot.quads, 1)
    try:
        await pool.start()
        network_cut = pool.state().network_cut
    except (StoreError, OSError):
        return Finding(Level.FAULT, BROKEN)
    finally:
        await pool.stop()
    return Finding(Level.GOOD, "children") if network_cut else Finding(Level.WARNING, "network")
