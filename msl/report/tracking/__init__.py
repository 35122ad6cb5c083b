"""Experiment trackers: W&B, TensorBoard, MLflow; the failure of one never ends a run."""
