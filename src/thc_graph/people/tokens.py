"""Tokens: who may come in by the editors' door, and what for.

A token is 256 random bits, shown once; only its SHA-256 stands in `tokens.json`,
which its owner alone can read. A hash made to be slow would protect a word that
somebody chose, and nobody chose this one.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from thc_graph.errors import StoreError, StoreUnsound
from thc_graph.store import files
from thc_graph.store.writes.permissions import Role

FILE: Final = "tokens.json"
ROLES: Final[tuple[Role, ...]] = get_args(Role)  # each may do what those before it may


@dataclass(frozen=True)
class Token:
    """A token as it is kept; `name` is the author of the commits made with it."""

    name: str
    role: Role
    sha256: str
    created: str

    def may(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


def listed(root: Path) -> list[Token]:
    """Return the tokens of the store in `root`, the oldest first.

    Raises:
        StoreUnsound: The file cannot be read: nobody comes in.
    """
    try:
        kept = json.loads((root / FILE).read_text("utf-8"))
        return [Token(**each) for each in kept]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as fault:
        raise StoreUnsound(FILE, "altered") from fault


def create(root: Path, name: str, role: Role) -> str:
    """Return a new token, to be shown once.

    Raises:
        StoreError: The name is taken.
    """
    kept = listed(root)
    if any(each.name == name for each in kept):
        raise StoreError(f"There is a token named {name!r} already.")
    secret = f"thc_{secrets.token_urlsafe(32)}"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _write(root, [*kept, Token(name, role, _hash(secret), now)])
    return secret


def revoke(root: Path, name: str) -> bool:
    """Forget a token, from the next request on; tell whether there was one."""
    kept = listed(root)
    left = [each for each in kept if each.name != name]
    if len(left) < len(kept):
        _write(root, left)
    return len(left) < len(kept)


def bearer(root: Path, secret: str) -> Token | None:
    """Return the token that a visitor holds, compared in a time that tells nothing."""
    hashed = _hash(secret)
    found = [each for each in listed(root) if hmac.compare_digest(each.sha256, hashed)]
    return found[0] if found else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _write(root: Path, tokens: list[Token]) -> None:
    content = json.dumps([asdict(each) for each in tokens], indent=1, ensure_ascii=False)
    path = root / FILE
    files.replace(path, content.encode("utf-8"), mode=0o600)
