"""ONNX files in: safe loading, blocks of com.eqhls, plain operators, quantizers."""
