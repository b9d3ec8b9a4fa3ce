// A queue of 2^AddressBits words in distributed RAM. There is no way to refuse a word: whoever writes counts the
// places that are left. A word that is written in one clock can be read in the next one.
// Synchronous, active-high reset: the queue is empty.
`default_nettype none
module eq_fifo #(
  parameter Width = 1,
  parameter AddressBits = 1
) (
  input  wire             clk,
  input  wire             rst,
  input  wire             in_valid,
  input  wire [Width-1:0] in_data,
  output wire             out_valid,
  input  wire             out_ready,
  output wire [Width-1:0] out_data
);
  (* ram_style = "distributed" *) reg [Width-1:0] memory[0:(1<<AddressBits)-1];
  reg [AddressBits:0] head;  // one bit more than the address: full and empty differ in it
  reg [AddressBits:0] tail;

  assign out_valid = head != tail;
  assign out_data  = memory[tail[AddressBits-1:0]];

  always @(posedge clk) begin
    if (in_valid) memory[head[AddressBits-1:0]] <= in_data;
    if (rst) begin
      head <= {AddressBits + 1{1'b0}};
      tail <= {AddressBits + 1{1'b0}};
    end else begin
      head <= head + {{AddressBits{1'b0}}, in_valid};
      tail <= tail + {{AddressBits{1'b0}}, out_valid & out_ready};
    end
  end
endmodule
`resetall
