"""Searching with a trained method: queries as people have them, what is found and how sure one may be of it."""
