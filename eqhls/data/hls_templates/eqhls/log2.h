// log2: the code of max(x, floor) / floor in octaves, or of |x| with its sign.
//
// w = floor(max(x, 0) / floor * 2^grain), or of |x| where so set, is cut into windows of CFG::window
// bits that advance by CFG::step bits; the highest window with a bit set addresses its table.
//
// CFG::size          elements
// CFG::scaled_t      the type of w: x with the binary point of w, cut below
// CFG::magnitude     code |x|
// CFG::width         bits of w
// CFG::windows       number of windows
// CFG::odd           code |x| and give the code the sign of x
// CFG::code(k, c)    raw integer of code_t for cell c of window k
#ifndef EQHLS_LOG2_H_
#define EQHLS_LOG2_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void log2(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    typename CFG::scaled_t scaled = 0;
    const bool negative = x.c[0][n] < 0;
    if (!negative) scaled = x.c[0][n];
    if ((CFG::odd || CFG::magnitude) && negative) scaled = -x.c[0][n];
    const ap_uint<CFG::width> w = scaled.range(CFG::width - 1, 0);
    typename CFG::code_t code = 0;
    for (int k = 0; k < CFG::windows; ++k) {
#pragma HLS UNROLL
      const ap_uint<CFG::width> cells = w >> (k * CFG::step);
      const ap_uint<CFG::window> cell = cells;
      if (k == 0 || (cells >> (CFG::window - CFG::step)) != 0) {
        code = from_bits<typename CFG::code_t>(CFG::code(k, cell.to_int()));
      }
    }
    y.c[0][n] = code;
    if (CFG::odd && negative) y.c[0][n] = -code;
  }
}

}  // namespace eqhls

#endif
