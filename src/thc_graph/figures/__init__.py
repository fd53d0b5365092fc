"""Figures: what is counted and drawn of commitments, events and places, and when."""
