// exp2: y = 2^(x + shift): the significand of the fraction bits, shifted by the integer bits.
//
// Rounded to nearest, halves up, and saturated to CFG::most.
//
// CFG::size            elements
// CFG::code_t          a signed type that holds x, with at least one fraction bit
// CFG::frac            fraction bits of code_t
// CFG::significand(m)  2^(m / 2^frac) in units of 2^-mantissa, rounded
// CFG::wide            bits of a significand that is shifted to the top of y
// CFG::offset          what is added to floor(x) to find by how many bits a significand is shifted left
// CFG::reach           bits from which on every result saturates
// CFG::guard           bits to the right from which on nothing but 0 is left
// CFG::most            the largest raw result
// CFG::out_t           the type of a result
#ifndef EQHLS_EXP2_H_
#define EQHLS_EXP2_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void exp2(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    const typename CFG::code_t code = x.c[0][n];
    const int width = CFG::code_t::width;
    ap_int<width> raw;
    raw.range(width - 1, 0) = code.range(width - 1, 0);
    const ap_int<width> octave = raw >> CFG::frac;
    const ap_uint<CFG::frac> m = raw.range(CFG::frac - 1, 0);
    const int left = octave.to_int() + CFG::offset;
    ap_uint<CFG::wide> value = CFG::significand(m.to_int());
    if (left >= CFG::reach) {
      value = CFG::most;
    } else if (left >= 0) {
      value = value << left;
    } else if (left >= -CFG::guard) {
      value = (value + (ap_uint<CFG::wide>(1) << (-left - 1))) >> -left;
    } else {
      value = 0;
    }
    if (value > CFG::most) value = CFG::most;
    y.c[0][n] = from_bits<typename CFG::out_t>(value.to_int64());
  }
}

}  // namespace eqhls

#endif
