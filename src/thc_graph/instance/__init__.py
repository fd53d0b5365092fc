"""The instance: a store's folder with its settings, its service and its writing side."""
