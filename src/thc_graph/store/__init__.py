"""Quads at rest, and the one way to question them."""
