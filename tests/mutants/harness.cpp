// The bench of a project (sim/eq_bench.py) in C++, for one source with many faults: `mutant` picks one.
#include "bulk_harness.cpp"

#include <functional>
#include <random>
#include <vector>

namespace {

enum Test { kPassed, kBackToBack, kGaps, kReset, kSilence };

struct Words {
  const std::uint32_t* in;
  const std::uint32_t* expected;
  long events, in_words, out_words;
};

struct Bench {
  Vdut& dut;
  const Words& words;
  long latency;
  std::mt19937 rng{7};

  void garbage() {
    std::vector<std::uint32_t> word(words.in_words);
    for (auto& part : word) part = rng();
    // unused bits of the last word stay zero, as Verilator demands
    const int spare = EQ_IN_BITS % 32;
    if (spare) word.back() &= (std::uint32_t(1) << spare) - 1;
    store(dut.in_data, word.data());
  }
  void reset(long clocks) {
    dut.rst = 1;
    for (long k = 0; k < clocks; ++k) clock(dut);
    dut.rst = 0;
  }
  void start() {
    dut.in_valid = 0;
    std::vector<std::uint32_t> zero(words.in_words, 0);
    store(dut.in_data, zero.data());
    reset(latency + 2);
  }
  bool right(long event) {
    std::vector<std::uint32_t> got(words.out_words, 0);
    load(dut.out_data, got.data());
    return !std::memcmp(got.data(), words.expected + event * words.out_words, 4 * words.out_words);
  }
  // Sends the events [first, last); out_valid must repeat in_valid after `latency` clocks, with the right bits.
  bool stream(long first, long last, const std::function<bool()>& valid) {
    std::vector<long> sent;
    long position = first;
    for (long k = 0; position < last || k < long(sent.size()) + latency; ++k) {
      const bool go = position < last && valid();
      const long due = k >= latency && k - latency < long(sent.size()) ? sent[k - latency] : -1;
      if (bool(dut.out_valid) != (due >= 0)) return false;
      if (due >= 0 && !right(due)) return false;
      if (position < last) sent.push_back(go ? position : -1);
      dut.in_valid = go;
      if (go) store(dut.in_data, words.in + position * words.in_words);
      else garbage();
      position += go;
      clock(dut);
    }
    return true;
  }
  bool share(long first, long last, double part) {
    std::bernoulli_distribution coin(part);
    return stream(first, last, [&] { return coin(rng); });
  }
  bool bursts(long first, long last) {
    bool on = false;
    int left = 0;
    return stream(first, last, [&] {
      if (!left--) on = !on, left = int(rng() % 40);
      return on;
    });
  }
  bool gaps(long events) {
    return share(0, events / 3, 0.5) && share(events / 3, 2 * events / 3, 0.1) && bursts(2 * events / 3, events);
  }
  bool always(long events) { return stream(0, events, [] { return true; }); }
  bool reset_mid_stream(long events) {
    for (long k = 0; k < latency; ++k) {
      dut.in_valid = 1;
      store(dut.in_data, words.in + k * words.in_words);
      clock(dut);
    }
    reset(1);
    dut.in_valid = 0;
    for (long k = 0; k < 2 * latency + 2; ++k) {
      if (dut.out_valid) return false;
      clock(dut);
    }
    return always(events);
  }
  bool silence() {
    if (!stream(0, 0, [] { return true; })) return false;
    for (long k = 0; k < 3 * latency; ++k) {
      garbage();
      clock(dut);
      if (dut.out_valid) return false;
    }
    return true;
  }
};

}  // namespace

// Returns the first test of the bench that fails with this fault alive, 0 where all pass.
extern "C" int eqhls_bench(int mutant, const std::uint32_t* in, const std::uint32_t* expected, long events,
                           long in_words, long out_words, long latency, long short_run) {
  const Words words{in, expected, events, in_words, out_words};
  const long some = events < short_run ? events : short_run;
  const std::function<bool(Bench&)> tests[] = {
      [&](Bench& b) { return b.always(events); },
      [&](Bench& b) { return b.gaps(some); },
      [&](Bench& b) { return b.reset_mid_stream(some); },
      [&](Bench& b) { return b.silence(); },
  };
  auto context = std::make_unique<VerilatedContext>();
  auto dut = std::make_unique<Vdut>(context.get());
  dut->mutant = mutant;
  for (int k = 0; k < 4; ++k) {
    Bench bench{*dut, words, latency};
    bench.start();
    if (!tests[k](bench)) return k + 1;
  }
  return kPassed;
}
