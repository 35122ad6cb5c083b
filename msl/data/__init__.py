"""Pairs of two modalities, their classes, and the splits into seen and unseen ones."""
