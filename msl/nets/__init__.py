"""The parts of the networks, one file each; every module maps (n, d_in) to (n, d_out)."""
