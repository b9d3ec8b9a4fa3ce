"""Rules of plain ONNX operators, by what they do: each says which attributes it reads, and what it becomes."""
