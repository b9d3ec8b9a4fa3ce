"""Models that Keras 2 wrote, those of Google's QKeras among them, read without Keras."""
