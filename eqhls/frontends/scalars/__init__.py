"""Layers of Keras, HGQ2 and the QKeras API on scalars, read as ops."""
