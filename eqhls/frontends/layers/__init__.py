"""Trainable Keras 3 layers that know their group; one for each op."""
