"""SHACL by pySHACL: the only module that knows it, and rdflib under it."""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Triple
from pyshacl import validate as pyshacl_validate
from rdflib.namespace import SH as RSH

from thc_graph.rdf.terms import THC, Term
from thc_graph.schema.reports import Violation
from thc_graph.schema.shapes import Text

logging.getLogger("rdflib.term").setLevel(logging.ERROR)  # ill-typed literals are reported below


def results(data: Iterable[Triple], shapes: Iterable[Triple]) -> Iterator[Violation]:
    """Validate a data graph by the shapes' own targets.

    `use_shapes` would be quicker, but it silently drops every other shape that has a
    name, those that sh:property and sh:node refer to included.
    """
    rules = _graph(shapes)
    _, report, _ = pyshacl_validate(_graph(data), shacl_graph=rules, inplace=True)
    for result in report.objects(None, RSH.result):  # not those nested in sh:detail
        yield _violation(report, result, rules)


def _violation(report: rdflib.Graph, result: Any, rules: rdflib.Graph) -> Violation:
    source = report.value(result, RSH.sourceShape)
    messages = {
        message.language: str(message)
        for message in report.objects(result, RSH.resultMessage)
        if isinstance(message, rdflib.Literal)
    }
    column = rules.value(source, rdflib.URIRef(THC["column"].value))
    return Violation(
        focus=NamedNode(str(report.value(result, RSH.focusNode))),
        path=_node(report.value(result, RSH.resultPath)),
        value=_term(report.value(result, RSH.value)),
        severity=NamedNode(str(report.value(result, RSH.resultSeverity))),
        message=Text(fr=messages.get("fr", messages.get(None, "")), en=messages.get("en", "")),
        shape=_node(source),
        column=_node(column),
    )


def _node(term: Any) -> NamedNode | None:
    return NamedNode(str(term)) if isinstance(term, rdflib.URIRef) else None


def _term(term: Any) -> Term | None:
    if isinstance(term, rdflib.Literal):
        datatype = None if term.language or not term.datatype else NamedNode(str(term.datatype))
        return Literal(str(term), language=term.language, datatype=datatype)
    return _node(term)


def _graph(triples: Iterable[Triple]) -> rdflib.Graph:
    """Return the triples in rdflib; equal terms are made once."""
    graph, terms = rdflib.Graph(), _Terms()
    for triple in triples:
        graph.add((terms[triple.subject], terms[triple.predicate], terms[triple.object]))
    return graph


class _Terms(dict[Any, Any]):
    def __missing__(self, term: Term) -> Any:
        made = self[term] = _rdflib(term)
        return made


def _rdflib(term: Term) -> Any:
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)  # published data hold no triple terms
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value))
