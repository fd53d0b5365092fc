"""Processes: children that work behind walls, and that their parent may kill."""
