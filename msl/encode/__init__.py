"""From raw pictures and texts to features."""
