"""The command line: one file a verb. Data on stdout, talk on stderr.

Exit codes: 0 done; 1 failure; 2 usage; 3 the data have errors, nothing was written;
4 warnings, with --strict; 5 the store is locked; 6 changes, with --exit-code; 7 stopped by
a guard: too many removals, or an undo of what changed since; 130 interrupted.
"""

import sys
from collections.abc import Sequence
from itertools import pairwise
from sqlite3 import DatabaseError

from thc_graph.cli import (  # each verb adds itself to the application
    backup,
    diff,
    doctor,
    export,
    harms,
    import_,
    imports,
    init,
    log,
    map_,
    purge,
    push,
    query,
    restore,
    serve,
    stats,
    template,
    token,
    validate,
)
from thc_graph.cli.app import app
from thc_graph.cli.console import fail
from thc_graph.errors import SheetError, StoreLocked, StoreUnsound, ThcGraphError


def main() -> None:
    """Run the command line; an error of ours is one sentence, never a traceback."""
    try:
        app()
    except StoreLocked as fault:
        fail(f"Le processus n° {fault.pid or '?'} écrit encore dans le magasin : réessayer.", 5)
    except SheetError as fault:
        fail(str(fault), 3)
    except StoreUnsound as fault:
        fail(harms.sentence(fault, _language(sys.argv)), 1)
    except ThcGraphError as fault:
        fail(str(fault), 1)
    except (OSError, RuntimeError, DatabaseError) as fault:
        found = harms.harm_of(fault)
        if found is not None:
            fail(harms.sentence(found, _language(sys.argv)), 1)
        if not isinstance(fault, OSError):
            raise
        fail(_why(fault), 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _language(arguments: Sequence[str]) -> str:
    """Return the language that was asked for, wherever in a command the error came from."""
    is_english = "--lang=en" in arguments or ("--lang", "en") in pairwise(arguments)
    return "en" if is_english else "fr"


def _why(fault: OSError) -> str:
    """Return what the system refused, in words; a system of another language has its own."""
    reasons = {
        FileNotFoundError: "fichier introuvable.",
        PermissionError: "accès refusé.",
        IsADirectoryError: "c'est un dossier, un fichier est attendu.",
        NotADirectoryError: "un dossier est attendu.",
    }
    reason = reasons.get(type(fault), fault.strerror or str(fault))
    return f"{fault.filename} : {reason}" if fault.filename else reason
