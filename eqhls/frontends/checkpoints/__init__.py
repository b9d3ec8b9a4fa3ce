"""Trained networks of the published codes, read from their checkpoints."""
