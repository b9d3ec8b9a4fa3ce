// wrap: x modulo a number of LSBs, around zero, and saturated to y.
//
// The low bits pass; the others, as an unsigned number, address a table of what they become. If the
// modulus is a power of two, bits above it are dropped, and without saturation that is all.
//
// CFG::size          elements
// CFG::wide_t        a signed type with the LSB of x, that holds x and CFG::kept bits
// CFG::kept          bits that matter: those of x, or those of the modulus
// CFG::low           bits that pass
// CFG::tabled        whether there is a table; else the kept bits are the result, the first its sign
// CFG::cell(a)       raw high bits of y for high bits a of x
#ifndef EQHLS_WRAP_H_
#define EQHLS_WRAP_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void wrap(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    const typename CFG::wide_t wide = x.c[0][n];
    const ap_uint<CFG::kept> word = wide.range(CFG::kept - 1, 0);
    ap_int<64> raw = ap_int<CFG::kept>(word);
    if (CFG::tabled) {
      const ap_uint<CFG::kept> high = word >> CFG::low;
      raw = CFG::cell(high.to_int());
      raw = (raw << CFG::low) | (word - (high << CFG::low));
    }
    y.c[0][n] = from_bits<typename Y::value_t>(raw.to_int64());
  }
}

}  // namespace eqhls

#endif
