"""Crossing: what goes from the clerk to the server: errors with their facts, and violations."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from pyoxigraph import RdfFormat, parse

from thc_graph import errors
from thc_graph.errors import EditRefused, ThcGraphError
from thc_graph.rdf.terms import Term
from thc_graph.schema.reports import Violation
from thc_graph.schema.shapes import Text
from thc_graph.store.history.commits import Commit
from thc_graph.store.writes.updates import Written

_TERMS: Final = ("focus", "path", "value", "severity", "shape", "column")


def error_header(error: ThcGraphError) -> dict[str, Any]:
    facts = dict(vars(error))
    if isinstance(error, EditRefused):
        facts["violations"] = [violation_facts(each) for each in error.violations]
    return {"kind": "error", "error": type(error).__name__, "text": str(error), "facts": facts}


def error_of(header: Mapping[str, Any]) -> ThcGraphError:
    """Return the error that a header tells, as it was; a list where it held a tuple."""
    kind: type[ThcGraphError] = getattr(errors, header["error"])
    error = kind.__new__(kind, header["text"])  # as unpickling does: each has its own arguments
    vars(error).update(header["facts"])
    if isinstance(error, EditRefused):
        error.violations = tuple(violation_of(each) for each in error.violations)
    return error


def written_header(written: Written) -> dict[str, Any]:
    return {
        "kind": "written",
        "commit": asdict(written.commit) if written.commit else None,
        "existed": written.existed,
        "warnings": [violation_facts(each) for each in written.warnings],
    }


def written_of(header: Mapping[str, Any]) -> Written:
    facts = header["commit"]
    commit = Commit(**{**facts, "sources": ()}) if facts else None  # a write comes from no file
    return Written(commit, header["existed"], tuple(map(violation_of, header["warnings"])))


def violation_facts(violation: Violation) -> dict[str, Any]:
    """Return a violation as JSON holds it: its terms as N-Triples writes them."""
    terms = {name: getattr(violation, name) for name in _TERMS}
    told = {name: None if term is None else str(term) for name, term in terms.items()}
    return {**told, "message": [violation.message.fr, violation.message.en]}


def violation_of(facts: Mapping[str, Any]) -> Violation:
    terms: dict[str, Any] = {name: _term(facts[name]) for name in _TERMS}
    return Violation(message=Text(*facts["message"]), **terms)


def _term(text: str | None) -> Term | None:
    if text is None:
        return None
    (quad,) = parse(f"<urn:x> <urn:x> {text} .", RdfFormat.N_TRIPLES)
    found: Term = quad.object
    return found
