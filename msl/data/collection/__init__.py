"""Folders of pictures with captions, whichever way people keep them: one layout a file."""
