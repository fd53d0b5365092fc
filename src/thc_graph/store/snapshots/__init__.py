"""Snapshots: the state at a commit, with what is derived and kept beside it."""
