// Drives a Verilated datapath with one event per clock, and keeps the traced values of every clock.
// Compiled once per project against the model `Vdut`; called through ctypes.
#include <cstdint>
#include <memory>

#include "Vdut.h"
#include "words.h"

// After clock k, the register of the input word holds event k; the last one stays for the clocks behind.
extern "C" void eqhls_trace_run(const std::uint32_t* in, std::uint32_t* out, long events, long in_words,
                                long out_words, long clocks) {
  auto context = std::make_unique<VerilatedContext>();
  auto dut = std::make_unique<Vdut>(context.get());
  for (long k = 0; k < clocks; ++k) {
    store(dut->in_data, in + (k < events ? k : events - 1) * in_words);
    dut->clk = 0;
    dut->eval();
    dut->clk = 1;
    dut->eval();
    load(dut->trace_data, out + k * out_words);
  }
}
