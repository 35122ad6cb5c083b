"""What `msl reproduce` does: cells, the processes that run them, what is made of them."""
