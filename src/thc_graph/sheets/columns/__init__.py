"""Columns: from headings to properties."""
