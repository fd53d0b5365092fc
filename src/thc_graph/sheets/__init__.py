"""Sheets: from a coordinator's table to quads, every fault named in its cell."""
