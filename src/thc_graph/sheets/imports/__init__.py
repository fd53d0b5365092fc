"""Imports: from the rows of a sheet to a change that may be published."""
