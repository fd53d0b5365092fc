"""Files that are whole or absent: written aside, forced to disk, then renamed."""

import os
from pathlib import Path


def replace(path: Path, content: bytes, mode: int = 0o666, aside: Path | None = None) -> None:
    """Put `content` at `path`; a crash leaves the old file or the new one, never a part.

    It is written `aside` first, in a folder of the same disk: that of `path`, or another.
    `mode` is that of a new file, less what the process's mask takes away; a file that
    stands there keeps its own, so that what is private stays so.
    """
    draft = (aside or path.parent) / f".{path.name}.{os.getpid()}"
    if path.exists():
        mode &= path.stat().st_mode
    draft.unlink(missing_ok=True)
    with open(draft, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Force a file's content, or a folder's entries, to disk: a rename counts only after that."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_at_work(path: Path) -> bool:
    """Tell whether the process that writes a file aside still lives."""
    pid = path.suffix.removeprefix(".")
    return not pid.isdigit() or is_alive(int(pid))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
