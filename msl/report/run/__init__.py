"""The sections of a page on one run."""
