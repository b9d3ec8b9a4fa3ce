"""ONNX files in: safe loading, ops of com.eqhls, plain operators, quantizers."""
