"""Rendering: how terms, sentences and pages are written."""
