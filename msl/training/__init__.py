"""Training with Lightning: the only place that knows it."""
