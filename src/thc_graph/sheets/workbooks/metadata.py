"""Metadata of templates: Table Schema and CSV on the Web, so that others' tools check files.

They describe a CSV file as `template` writes it, and are stricter than the import,
which also reads what people type: JJ/MM/AAAA, « 12,5 », synonyms of a list's values.
Table Schema: https://specs.frictionlessdata.io/table-schema/ ; CSV on the Web:
https://www.w3.org/TR/tabular-metadata/
"""

from typing import Any, Final

from thc_graph import __version__
from thc_graph.names.words import folded
from thc_graph.rdf.terms import RDF, XSD, A
from thc_graph.sheets.columns.layout import ENGLISH, IDENTIFIER
from thc_graph.sheets.columns.template import Column, Kind, Template

PARTIAL_DATE: Final = r"^\d{4}(-\d{2}(-\d{2})?)?$"
TABLE_SCHEMA: Final = "https://frictionlessdata.io/schemas/table-schema.json"


def table_schema(template: Template) -> dict[str, Any]:
    """Return the Table Schema of a sheet."""
    sheet = template.sheet
    return {
        "$schema": TABLE_SCHEMA,
        "name": sheet.slug,
        "title": sheet.label.fr,
        "description": sheet.description.fr,
        "version": __version__,
        "fields": [_field(each) for each in template.columns],
        "missingValues": [""],
    }


def csvw(template: Template) -> dict[str, Any]:
    """Return the CSV on the Web metadata of `{slug}.csv`."""
    sheet = template.sheet
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "fr"}],
        "url": f"{sheet.slug}.csv",
        "dc:title": sheet.label.fr,
        "dc:description": sheet.description.fr,
        "dialect": {"encoding": "utf-8", "delimiter": ",", "header": True},
        "tableSchema": {"columns": [_column(each) for each in template.columns]},
    }


def _field(column: Column) -> dict[str, Any]:
    field = {"name": column.name, "title": column.name, "description": column.help.fr}
    if _example(column):
        field["example"] = _example(column)
    return {**field, **_type(column), "constraints": _constraints(column)}


def _example(column: Column) -> str:
    """Return the example in the one form that a schema takes."""
    if column.kind is Kind.NUMBER:
        return column.example.replace(",", ".")
    return "2014-03-30" if column.kind is Kind.DATE else column.example


def _type(column: Column) -> dict[str, Any]:
    if column.is_multiple:
        return {"type": "string"}
    if column.kind is Kind.NUMBER:
        whole = column.shape is not None and XSD["integer"] in column.shape.datatypes
        return {"type": "integer" if whole else "number"}
    if column.kind is Kind.YES_NO:
        return {"type": "boolean", "trueValues": ["oui"], "falseValues": ["non"]}
    return {"type": "string"}


def _constraints(column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"required": column.is_required}
    if column.is_multiple or column.shape is None:
        return found
    if column.kind is Kind.DATE:
        found["pattern"] = PARTIAL_DATE
    elif column.choices and column.kind is not Kind.YES_NO:
        found["enum"] = list(column.choices)
    elif column.shape.pattern and not column.shape.is_iri:
        found["pattern"] = column.shape.pattern
    bounds = {"minimum": column.shape.minimum, "maximum": column.shape.maximum}
    return found | {name: value for name, value in bounds.items() if value is not None}


def _column(column: Column) -> dict[str, Any]:
    """Return a column's annotations; its name is the heading, as a URI template takes it."""
    name = folded(column.name.removesuffix(ENGLISH)).replace(" ", "_")
    found: dict[str, Any] = {
        "name": f"{name}_en" if column.language == "en" else name,
        "titles": column.name,
        "dc:description": column.help.fr,
        "required": column.is_required,
        "datatype": _datatype(column),
    }
    if column.is_multiple:
        found["separator"] = "|"
    shape = column.shape
    if shape is None:
        found["dc:title"] = IDENTIFIER
    elif shape.predicate != A:
        found["propertyUrl"] = shape.predicate.value
        if RDF["langString"] in shape.datatypes:
            found["lang"] = column.language
    return found


def _datatype(column: Column) -> str | dict[str, Any]:
    shape = column.shape
    if shape is None:
        return "string"
    if column.kind is Kind.YES_NO:
        return {"base": "boolean", "format": "oui|non"}
    if column.kind is Kind.DATE:
        return {"base": "string", "format": PARTIAL_DATE.strip("^$")}
    if column.kind is Kind.NUMBER:
        base = "integer" if XSD["integer"] in shape.datatypes else "decimal"
        bounds = {"minimum": shape.minimum, "maximum": shape.maximum}
        given = {name: value for name, value in bounds.items() if value is not None}
        return {"base": base, **given} if given else base
    return "string"
