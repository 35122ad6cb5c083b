"""Fetching a data set from the address its card gives, and unpacking what comes."""
