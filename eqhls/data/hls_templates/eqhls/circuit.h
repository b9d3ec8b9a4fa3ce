// circuit: y = the outputs of a netlist, cell by cell.
//
// CFG::logic_t   the netlist as a function: logic_t::run(x.., y), generated beside this config
#ifndef EQHLS_CIRCUIT_H_
#define EQHLS_CIRCUIT_H_

#include "common.h"

namespace eqhls {

// The inputs come first, the result last.
template <class CFG, class... T>
void circuit(T&... values) {
#pragma HLS INLINE
  CFG::logic_t::run(values...);
}

// The bits of x after an assignment to a format. EXTRA sign bits are put in front, so that the ap_fixed
// headers always find the bits that they round by, even where more bits are dropped than the source has.
template <class TARGET, int EXTRA, class A>
long long circuit_in(const A& x) {
#pragma HLS INLINE
  const ap_fixed<A::width + EXTRA, A::iwidth + EXTRA> extended = x;
  const TARGET rounded = extended;
  const ap_int<TARGET::width> bits = rounded.range(TARGET::width - 1, 0);
  return bits.to_int64();
}

// The number in a word.
template <class W>
long long circuit_value(const W& word) {
#pragma HLS INLINE
  return word.to_int64();
}

}  // namespace eqhls

#endif
