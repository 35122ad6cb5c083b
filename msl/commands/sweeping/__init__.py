"""What `msl sweep` does: space, suggestions, trials."""
