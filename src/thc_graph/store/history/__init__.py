"""History: the commits, and what is read, undone and erased of them."""
