// Drives a Verilated datapath with an event every clock, and keeps the traced values of every clock.
// Compiled once per project against the model `Vdut`; called through ctypes.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "Vdut.h"
#include "verilated.h"

namespace {

template <std::size_t N>
void store(VlWide<N>& port, const std::uint32_t* word) {
  std::memcpy(port.data(), word, N * sizeof(std::uint32_t));
}
template <typename T>
void store(T& port, const std::uint32_t* word) {
  std::uint64_t value = word[0];
  if (sizeof(T) > 4) value |= std::uint64_t(word[1]) << 32;
  port = static_cast<T>(value);
}
template <std::size_t N>
void load(const VlWide<N>& port, std::uint32_t* word) {
  std::memcpy(word, port.data(), N * sizeof(std::uint32_t));
}
template <typename T>
void load(const T& port, std::uint32_t* word) {
  word[0] = static_cast<std::uint32_t>(port);
  if (sizeof(T) > 4) word[1] = static_cast<std::uint32_t>(std::uint64_t(port) >> 32);
}

}  // namespace

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
