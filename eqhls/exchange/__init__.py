"""What the reader and the writer of ONNX files share: the domain com.eqhls, attributes, Quant nodes."""
