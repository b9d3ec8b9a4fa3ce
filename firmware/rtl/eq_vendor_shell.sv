// Gives an HLS core (ap_ctrl_none, ap_none ports, II = 1) the ports of an eqhls top.
// The core has no valid of its own; its latency is fixed and known from the csynth report.
`default_nettype none
module eq_vendor_shell #(
  parameter Latency = 1
) (
  input  wire clk,
  input  wire rst,
  input  wire in_valid,
  output wire out_valid,
  output wire ap_clk,
  output wire ap_rst
);
  assign ap_clk = clk;
  assign ap_rst = rst;

  eq_valid_pipe #(.Latency(Latency)) u_valid (
    .clk(clk), .rst(rst), .in_valid(in_valid), .out_valid(out_valid)
  );
endmodule
`resetall
