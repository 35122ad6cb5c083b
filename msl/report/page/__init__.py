"""The static page: its parts, and how they become one file."""
