"""A whole experiment: in words, tables and the sections of a page."""
