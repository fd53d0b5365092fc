"""The schema: ontology and shapes, read once as Python values."""
