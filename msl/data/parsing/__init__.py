"""Parsers of untrusted files, which run in a process of their own: `process` starts it, `serve` runs in it.

Each parser is a module with `parse(stream, stem, handover)`: it reads one open file and hands arrays over by name.
It raises `InputError` without the file's name, which the parent puts before the message.
"""
