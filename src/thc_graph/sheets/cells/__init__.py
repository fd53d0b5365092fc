"""Cells: from text to value."""
