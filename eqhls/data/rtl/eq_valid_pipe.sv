// Delays `valid` by Latency clocks. Synchronous, active-high reset: events in flight are dropped.
`default_nettype none
module eq_valid_pipe #(
  parameter Latency = 1
) (
  input  wire clk,
  input  wire rst,
  input  wire in_valid,
  output wire out_valid
);
  reg [Latency-1:0] pipe;

  assign out_valid = pipe[Latency-1];

  generate
    if (Latency == 1) begin : g_one
      always @(posedge clk) pipe <= rst ? 1'b0 : in_valid;
    end else begin : g_many
      always @(posedge clk) pipe <= rst ? {Latency{1'b0}} : {pipe[Latency-2:0], in_valid};
    end
  endgenerate
endmodule
`resetall
