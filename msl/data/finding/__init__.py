"""Finding out what is what in a folder of features that somebody else's program wrote."""
