"""The protocol: regimes, directions, galleries; numbers with chance, lift and interval; where they are kept."""
