// Delays a word by Latency clocks, valid or not. No reset, so that shift registers hold it: whoever reads it
// knows from elsewhere when it means something.
`default_nettype none
module eq_delay #(
  parameter Width = 1,
  parameter Latency = 1
) (
  input  wire             clk,
  input  wire [Width-1:0] in_data,
  output wire [Width-1:0] out_data
);
  reg [Width-1:0] pipe[0:Latency-1];
  integer k;

  assign out_data = pipe[Latency-1];

  always @(posedge clk) begin
    pipe[0] <= in_data;
    for (k = 1; k < Latency; k = k + 1) pipe[k] <= pipe[k-1];
  end
endmodule
`resetall
