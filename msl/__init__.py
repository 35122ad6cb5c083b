"""Zero-shot cross-modal retrieval: train, evaluate and search with classes never seen in training."""

__version__ = "0.1.0"
