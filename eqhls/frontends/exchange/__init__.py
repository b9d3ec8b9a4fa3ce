"""How a graph travels as ONNX: the domain, its attributes, safe loading, plain operators."""
