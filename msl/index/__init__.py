"""Search: from a query's code to the nearest items of a gallery."""
