"""Every error this package raises.

* ThcGraphError
  x SettingsError          a setting is missing or contradicts another
  x SchemaError            ontology or shapes unreadable
  x SheetError             a file is unreadable as a whole (a bad cell is a Problem, not an error)
  x QueryError
    + QuerySyntaxError
    + QueryTimeout
      - RemoteTimeout
    + QueryForbidden
    + QueryTooLarge
    + QueryTooComplex
    + FunctionUnknown
    + QueryNotAcceptable
    + QueryFailed
      - QueryOutOfMemory
    + QueueFull
    + RemoteUnreachable
    + RemoteWrong
  x EditError                a write at the editors' door was not done
    + EditForbidden
    + EditConflict
    + EditNameless
    + EditRefused
    + EditTooLarge
    + DocumentError
  x StoreError
    + StoreMissing
    + StoreLocked
    + DraftOutdated
    + StoreUnsound
      - HistoryCorrupt
    + NothingToPurge
    + CommitUnknown
    + UndoConflict
    + StoreTooNew
    + StoreNotEmpty
    + StoreBusy
    + StoreFull
      - StoreFullLate
    + BackupDamaged
    + RemoteRefused
"""

from collections.abc import Sequence
from typing import Any


class ThcGraphError(Exception):
    """The root of the tree: catch this one to catch them all."""


class SettingsError(ThcGraphError):
    """A setting is missing, unreadable or contradicts another."""


class SchemaError(ThcGraphError):
    """An ontology or shape file cannot be used."""


class SheetError(ThcGraphError):
    """A file cannot be read as a sheet at all."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file} : {problem}")
        self.file = file
        self.problem = problem


class QueryError(ThcGraphError):
    """A query was not answered."""


class QuerySyntaxError(QueryError):
    """The text is not SPARQL 1.1; line and column count from 1 where they are known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class QueryTimeout(QueryError):
    """The query was stopped at its time limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The query was stopped after {seconds:g} s.")
        self.seconds = seconds


class RemoteTimeout(QueryTimeout):
    """The remote engine did not even take the connection within the query's time."""


class QueryForbidden(QueryError):
    """The query asks for something that is never done for a visitor."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not allowed here.")
        self.what = what


class QueryTooLarge(QueryError):
    """The query's text is longer than the limit, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The query is longer than {limit} bytes.")
        self.limit = limit


class QueryTooComplex(QueryError):
    """The query nests or chains more than any engine can take."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The query is too complex: {what}.")
        self.what = what


class FunctionUnknown(QueryError):
    """The query calls a function that this engine does not have: `what` is its IRI."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no function {what} here.")
        self.what = what


class QueryNotAcceptable(QueryError):
    """None of the asked media types fits the result; `offered` are those that do."""

    def __init__(self, offered: Sequence[str]) -> None:
        super().__init__("None of the accepted media types fits this form of query.")
        self.offered = tuple(offered)


class QueryFailed(QueryError):
    """The engine gave up on the query (memory, or a fault of the engine)."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The query could not be evaluated: {reason}.")
        self.reason = reason


class QueryOutOfMemory(QueryFailed):
    """The query's process reached its limit of memory, in bytes, and ended."""

    def __init__(self, memory: int) -> None:
        super().__init__("memory")
        self.memory = memory


class QueueFull(QueryError):
    """Too many queries are waiting; try again after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("Too many queries are waiting.")
        self.retry_after = retry_after


class RemoteUnreachable(QueryError):
    """The remote engine cannot be reached, or hung up before its answer was whole."""

    def __init__(self) -> None:
        super().__init__("The remote engine cannot be reached.")


class RemoteWrong(QueryError):
    """The remote engine answered something that is no answer to this query.

    `why` is for the log and the operator: it may quote the engine.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"The remote engine gave no answer that can be used: {why}")
        self.why = why


class EditError(ThcGraphError):
    """A write was not done; the published content is as it was."""


class EditForbidden(EditError):
    """The write touches a graph that is not written by hand: `what` is its name, or why."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} cannot be written here.")
        self.what = what


class EditConflict(EditError):
    """The graph is not, or no longer, the one that the writer has in mind."""


class EditNameless(EditError):
    """The write adds a thing without a name, `what`: a blank node or a triple term."""

    def __init__(self, what: str) -> None:
        super().__init__(f"It adds a thing without a name: {what}.")
        self.what = what


class EditRefused(EditError):
    """The state after the write would break rules; `violations` are validation's own."""

    def __init__(self, violations: Sequence[Any]) -> None:
        super().__init__(f"{len(violations)} rules are broken.")
        self.violations = tuple(violations)


class EditTooLarge(EditError):
    """The write would change more than `limit` facts: that is an administrator's to do."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"It changes more than {limit} facts.")
        self.limit = limit


class DocumentError(EditError):
    """A document is not in the syntax it claims; line and column as in QuerySyntaxError."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class StoreError(ThcGraphError):
    """The store cannot do what was asked."""


class StoreMissing(StoreError):
    """There is no store in this folder."""

    def __init__(self, path: str) -> None:
        super().__init__(f"No store in {path}: run `thc-graph init` first.")
        self.path = path


class StoreLocked(StoreError):
    """Another process is writing; `pid` is that process, where it could be read."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(f"The store is locked by process {pid or 'unknown'}.")
        self.pid = pid


class DraftOutdated(StoreError):
    """Something was published since the draft was made: it is to be made again."""

    def __init__(self) -> None:
        super().__init__("Something was published since this was drafted.")


class StoreUnsound(StoreError):
    """A file of the store, `file` from its folder, is not what was written there.

    `harm` is "missing", "empty", "cut", "altered" or "unreadable".
    """

    def __init__(self, file: str, harm: str) -> None:
        super().__init__(f"The store is damaged: {file} is {harm}.")
        self.file = file
        self.harm = harm


class HistoryCorrupt(StoreUnsound):
    """A file of the history is harmed: that of `commit`, which may be "HEAD" or "ERASED".

    `sound` is the last commit that still stands with all before it, where it was looked for.
    """

    def __init__(self, commit: str, harm: str = "altered", sound: str | None = None) -> None:
        name = commit if commit.isupper() else f"{commit}.patch.gz"
        super().__init__(f"history/{name}", harm)
        self.commit = commit
        self.sound = sound


class NothingToPurge(StoreError):
    """No commit holds anything of what is to be erased."""

    def __init__(self, what: str) -> None:
        super().__init__(f"No commit holds anything of {what}.")
        self.what = what


class CommitUnknown(StoreError):
    """No commit, or more than one, goes by this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No single commit goes by {name!r}.")
        self.name = name


class UndoConflict(StoreError):
    """A commit cannot be undone: later ones, in `later`, changed some of the same facts.

    `facts` are those facts, as (subject, property) IRIs.
    """

    def __init__(self, commit: str, later: Sequence[str], facts: Sequence[tuple[str, str]]) -> None:
        super().__init__(f"Later commits changed {len(facts)} facts of {commit[:8]}.")
        self.commit = commit
        self.later = tuple(later)
        self.facts = tuple(facts)


class StoreTooNew(StoreError):
    """A newer program wrote this store; `known` is the newest format this one reads."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"The store has format {found}; this version reads up to {known}.")
        self.found = found
        self.known = known


class StoreNotEmpty(StoreError):
    """The folder that is to be filled holds something already."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not empty.")
        self.path = path


class StoreBusy(StoreError):
    """The store changed faster than it could be copied."""

    def __init__(self) -> None:
        super().__init__("The store is changing too fast, or is being purged: try again.")


class StoreFull(StoreError):
    """The disk has no room for what was to be written; nothing of it was published."""

    def __init__(self) -> None:
        super().__init__("The disk is full: nothing was published.")


class StoreFullLate(StoreFull):
    """The disk filled up once commit `what` was recorded: the next publication publishes it."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


class BackupDamaged(StoreError):
    """A file of a backup is missing or is not what its manifest says."""

    def __init__(self, file: str) -> None:
        super().__init__(f"The backup is damaged: {file}.")
        self.file = file


class RemoteRefused(StoreError):
    """The remote engine did not take an update; `why` may quote it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The remote engine did not take the update: {why}")
        self.why = why
