"""Claims: by which a private folder is known to be somebody's still.

Whoever makes one holds a lock on a file within it for as long as it is wanted; the system
lets go of the lock when the process ends. A process id would tell less: another container
that shares the disk counts its own, and a number is given again after a restart.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

CLAIM: Final = "claim.lock"  # in the folder; never sealed, never published


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Give a private folder beside the snapshots; it is gone at the end, or at the next start."""
    folder, claim = _claimed(root / "snapshots")
    with claim:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def abandoned(root: Path) -> Iterator[Path]:
    """Yield the private folders that nobody claims; nobody comes to while one is looked at."""
    for folder in (root / "snapshots").glob(".draft-*"):
        try:
            with (folder / CLAIM).open("rb") as claim:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield folder
        except FileNotFoundError:  # of a program that claimed nothing, or not yet: see `_claim`
            yield folder
        except BlockingIOError:
            continue


def _claimed(place: Path) -> tuple[Path, IO[bytes]]:
    while True:
        folder = place / f".draft-{os.getpid()}-{os.urandom(4).hex()}"
        folder.mkdir(parents=True)
        with suppress(FileNotFoundError, BlockingIOError):
            return folder, _claim(folder / CLAIM)


def _claim(path: Path) -> IO[bytes]:
    """Return a file that is locked; raises where whoever tidies up took the folder for dead."""
    claim = path.open("wb")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(path.stat(), os.fstat(claim.fileno())):
            raise FileNotFoundError
    except OSError:
        claim.close()
        raise
    return claim
