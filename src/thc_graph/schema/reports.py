"""Reports: what validation found, as SHACL says it (section 3.6)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from thc_graph.rdf.terms import SH, XSD, A, Term
from thc_graph.schema.shapes import Text


@dataclass(frozen=True)
class Violation:
    """One result of a SHACL validation (SHACL, section 3.6.2).

    `column` is the property shape whose cell shows the fault, where the shape says one.
    """

    focus: NamedNode
    path: NamedNode | None
    value: Term | None
    severity: NamedNode
    message: Text
    shape: NamedNode | None
    column: NamedNode | None = None

    @property
    def refuses(self) -> bool:
        return self.severity == SH["Violation"]


def report(violations: Iterable[Violation]) -> Iterator[Triple]:
    """Yield the validation report of a change that was refused."""
    whole = BlankNode()
    yield Triple(whole, A, SH["ValidationReport"])
    yield Triple(whole, SH["conforms"], Literal("false", datatype=XSD["boolean"]))
    for each in violations:
        result = BlankNode()
        yield Triple(whole, SH["result"], result)
        yield Triple(result, A, SH["ValidationResult"])
        yield from _facts(result, each)


def _facts(result: BlankNode, violation: Violation) -> Iterator[Triple]:
    for name, term in (
        ("focusNode", violation.focus),
        ("resultPath", violation.path),
        ("value", violation.value),
        ("resultSeverity", violation.severity),
        ("sourceShape", violation.shape),
    ):
        if term is not None:
            yield Triple(result, SH[name], term)
    for language, text in (("fr", violation.message.fr), ("en", violation.message.en)):
        if text:
            yield Triple(result, SH["resultMessage"], Literal(text, language=language))
