"""Dashboards: how far the commitments are, who told it and when, and what to look at."""
