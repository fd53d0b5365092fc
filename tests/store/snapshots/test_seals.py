"""What seals vouch for is on disk before they are."""

import os
from pathlib import Path

import pytest

from thc_graph.store.snapshots import seals


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that are forced to disk, in their order."""
    inodes: list[int] = []
    force = os.fsync

    def recorded(descriptor: int) -> None:
        force(descriptor)
        inodes.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", recorded)
    return inodes


def test_all_that_is_new_is_forced_to_disk_before_its_seal(
    tmp_path: Path, forced: list[int]
) -> None:
    former, folder = tmp_path / "former", tmp_path / "folder"
    for place in (former, folder):
        (place / "quads").mkdir(parents=True)
    (former / "quads/kept").write_text("kept")
    seals.put(former, None)
    (folder / "quads/kept").hardlink_to(former / "quads/kept")
    (folder / "quads/new").write_text("new")
    (folder / "names").write_text("names")
    forced.clear()
    seals.put(folder, former)
    before = set(forced[: forced.index((folder / seals.FILE).stat().st_ino)])
    inodes = {path: path.stat().st_ino for path in (folder, *folder.rglob("*"))}
    del inodes[folder / seals.FILE]
    assert inodes.pop(folder / "quads/kept") not in before, "it was forced when it was new"
    assert set(inodes.values()) <= before
