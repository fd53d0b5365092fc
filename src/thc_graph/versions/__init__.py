"""Versions: what became of the data, as data."""
