"""The shapes as shipped: readable, whole, and in both languages."""

import pytest

from thc_graph.instance.settings import resources
from thc_graph.names.words import heading
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema
from thc_graph.sheets.columns.layout import members


@pytest.fixture(scope="module")
def schema() -> Schema:
    found = resources()
    return read_schema(found.ontology_folder, found.shapes_folder)


def test_every_property_speaks_both_languages(schema: Schema) -> None:
    for shape in schema.shapes.values():
        for each in shape.properties:
            if each.name.fr:
                assert each.name.en, each.iri
                assert each.description.fr, each.iri
                assert each.description.en, each.iri


def test_every_class_with_a_kind_has_a_key_and_a_label(schema: Schema) -> None:
    for shape in filter(lambda each: each.kind and each.target, schema.shapes.values()):
        assert shape.target in schema.classes, shape.iri
        assert shape.name.fr, shape.iri
        assert any(s.key for s in schema.shapes_of(shape.target)), shape.iri


def test_no_two_columns_of_a_class_have_the_same_heading(schema: Schema) -> None:
    for sheet in schema.sheets.values():
        for member in members(sheet, schema):
            for class_ in member.classes:
                columns = [p for p in schema.properties_of(class_) if p.is_column]
                headings = [heading(each.name.fr) for each in columns]
                assert len(headings) == len(set(headings)), (sheet.slug, class_)


def test_the_territory_and_its_authority_are_told_apart(schema: Schema) -> None:
    assert schema.kinds(next(c for c in schema.classes if c.value.endswith("#Collectivite"))) == (
        "collectivite",
    )
