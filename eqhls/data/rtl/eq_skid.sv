// A register slice for a stream with backpressure: in_ready, out_valid and out_data are registers, and a word
// passes per clock. `spare` takes the word that comes in the clock in which the way out closes.
// Synchronous, active-high reset: words inside are dropped, and in_ready is low until the clock after it.
`default_nettype none
module eq_skid #(
  parameter Width = 1
) (
  input  wire             clk,
  input  wire             rst,
  input  wire             in_valid,
  output reg              in_ready,
  input  wire [Width-1:0] in_data,
  output reg              out_valid,
  input  wire             out_ready,
  output reg  [Width-1:0] out_data
);
  reg [Width-1:0] spare;
  reg             spared;

  wire accept = in_valid & in_ready;
  wire leaves = out_ready | ~out_valid;  // the way out takes a word, or holds none

  always @(posedge clk) begin
    if (leaves) out_data <= spared ? spare : in_data;
    if (~leaves & accept) spare <= in_data;
    if (rst) begin
      in_ready  <= 1'b0;
      out_valid <= 1'b0;
      spared    <= 1'b0;
    end else begin
      in_ready  <= leaves | ~(spared | accept);
      out_valid <= ~leaves | spared | accept;
      spared    <= ~leaves & (spared | accept);
    end
  end
endmodule
`resetall
