"""Writes: the one way in, from an update to its publication."""
