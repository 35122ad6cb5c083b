"""Retrieval metrics: one value per query, exact, with a stated rule for ties."""
