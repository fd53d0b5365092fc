"""Layout: the mark by which a store's folder tells how it is arranged.

0 is a folder from before there was a mark; 1 adds `FORMAT` itself and `ERASED`; 2 seals
its snapshots. A newer program opens all of these and marks the folder at its next write; an older
one refuses what it does not know, rather than read it wrong.
"""

import re
from pathlib import Path
from typing import Final

from thc_graph.errors import StoreTooNew, StoreUnsound
from thc_graph.store import files

ID: Final = re.compile("[0-9a-f]{64}")  # a commit's
FORMAT: Final = 2
SEALED: Final = 2  # from here on, a snapshot without its seals has lost them
MARK: Final = "FORMAT"


def check(root: Path) -> int:
    """Return the format of a store.

    Raises:
        StoreTooNew: A newer program wrote it.
        StoreUnsound: The mark cannot be read.
    """
    path = root / MARK
    try:
        found = int(path.read_text("ascii")) if path.exists() else 0
    except ValueError as fault:
        raise StoreUnsound(MARK, "altered") from fault
    if found > FORMAT:
        raise StoreTooNew(found, FORMAT)
    return found


def mark(root: Path) -> None:
    """Note that this program has written here."""
    if check(root) < FORMAT:
        files.replace(root / MARK, f"{FORMAT}\n".encode("ascii"))
