"""Serving: the process, its ports and connections, and how it fares."""
