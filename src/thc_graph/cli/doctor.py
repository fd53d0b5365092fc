"""`thc-graph doctor`: is this store whole, is this machine fit, and what to do if not."""

import asyncio
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
import yaml

from thc_graph import __version__
from thc_graph.cli import console
from thc_graph.cli.app import app, opened
from thc_graph.errors import StoreError, StoreLocked
from thc_graph.settings import Settings
from thc_graph.store.checkup import Finding, Level, examine
from thc_graph.store.pool import Pool
from thc_graph.store.publication import Repository, locked
from thc_graph.store.snapshots import Snapshot

WORDS = Path(__file__).with_name("findings.yaml")
MEBIBYTE = 1 << 20
ROOM = 2  # times the store: a snapshot is built beside the one it replaces

_MARK = {Level.FAULT: "✖", Level.WARNING: "⚠", Level.GOOD: "✔"}


@app.command()
def doctor(
    context: typer.Context,
    strict: Annotated[bool, typer.Option("--strict", help="Compte les avertissements.")] = False,
    json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Vérifie le magasin, publication par publication, et la machine ; dit que faire."""
    settings, repository = opened(context)
    words = yaml.safe_load(WORDS.read_text("utf-8"))
    told = []
    for each in _findings(settings, repository):
        text = words[each.code][context.obj.language].format(**each.facts)
        told.append({"level": each.level, "code": each.code, **each.facts, "text": text})
        if not json:
            console.data(f"{_MARK[each.level]} {text}")
    if json:
        console.as_json(told)
    levels = {each["level"] for each in told}
    if Level.FAULT in levels:
        raise typer.Exit(1)
    raise typer.Exit(4 if strict and Level.WARNING in levels else 0)


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
    snapshot = repository.current()
    if snapshot is not None:
        yield asyncio.run(_children(snapshot))
    yield from examine(repository)


def _lock(root: Path) -> Iterator[Finding]:
    try:
        with locked(root):
            pass
    except StoreLocked as fault:
        yield Finding(Level.WARNING, "locked", {"pid": fault.pid or "?"})


def _disk(root: Path) -> Iterator[Finding]:
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
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
        return Finding(Level.FAULT, "children-broken")
    finally:
        await pool.stop()
    return Finding(Level.GOOD, "children") if network_cut else Finding(Level.WARNING, "network")
