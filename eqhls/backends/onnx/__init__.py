"""Graphs as ONNX files: ops of the domain com.eqhls with local functions of plain operators."""
