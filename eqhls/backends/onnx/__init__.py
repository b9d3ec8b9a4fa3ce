"""Graphs as ONNX files: blocks of the domain com.eqhls with local functions of plain operators."""
