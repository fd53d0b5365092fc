"""Workbooks: templates, filled sheets and annotated ones."""
