"""Entities: everything published about one thing, as a page and as triples."""
