// Drives a Verilated eqhls top with many events, one every `interval` clocks, and collects every output word.
// Compiled once per project against the model `Vdut`; called through ctypes.
#include <cstdint>
#include <memory>

#include "Vdut.h"
#include "words.h"

namespace {

void clock(Vdut& dut) {
  dut.clk = 0;
  dut.eval();
  dut.clk = 1;
  dut.eval();
}

}  // namespace

// Returns the number of events whose output came in its clock, `events` where all did;
// otherwise -1 - k, where k is the first clock whose out_valid was wrong.
extern "C" long eqhls_run(const std::uint32_t* in, std::uint32_t* out, long events, long in_words,
                          long out_words, long latency, long interval) {
  auto context = std::make_unique<VerilatedContext>();
  auto dut = std::make_unique<Vdut>(context.get());
  dut->rst = 1;
  dut->in_valid = 0;
  for (long k = 0; k < latency + 2; ++k) clock(*dut);
  dut->rst = 0;
  long done = 0;
  const auto starts = [&](long k) { return k >= 0 && k % interval == 0 && k / interval < events; };
  for (long k = 0; k < events * interval + latency; ++k) {
    dut->in_valid = starts(k);
    if (starts(k)) store(dut->in_data, in + k / interval * in_words);
    clock(*dut);
    const long first = k + 1 - latency;
    if (bool(dut->out_valid) != starts(first)) return -1 - k;
    if (starts(first)) load(dut->out_data, out + first / interval * out_words), ++done;
  }
  return done;
}
