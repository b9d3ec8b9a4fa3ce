"""Rules of plain ONNX operators: each says which attributes it reads and what it becomes."""
