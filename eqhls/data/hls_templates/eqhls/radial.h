// radial: y[n, c] = entry(c, bits of x[n]), one table a channel of one scalar.
//
// CFG::size          elements of x
// CFG::channels      functions, the last axis of y
// CFG::entry(c, a)   raw integer of entry_t for the address a, the bits of x as an unsigned number
#ifndef EQHLS_RADIAL_H_
#define EQHLS_RADIAL_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void radial(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    const ap_uint<X::value_t::width> address = x.c[0][n].range(X::value_t::width - 1, 0);
    for (int c = 0; c < CFG::channels; ++c) {
#pragma HLS UNROLL
      const typename CFG::entry_t entry =
          from_bits<typename CFG::entry_t>(CFG::entry(c, address.to_int()));
      y.c[0][n * CFG::channels + c] = entry;
    }
  }
}

}  // namespace eqhls

#endif
