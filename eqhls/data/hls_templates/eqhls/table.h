// table: y[n] = entry(row(n), bits of x[n]), a function of one scalar.
//
// CFG::size          elements
// CFG::row(n)        which function element n takes
// CFG::entry(r, a)   raw integer of entry_t for the address a, the bits of x as an unsigned number
#ifndef EQHLS_TABLE_H_
#define EQHLS_TABLE_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void table(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    const ap_uint<X::value_t::width> address = x.c[0][n].range(X::value_t::width - 1, 0);
    const typename CFG::entry_t entry =
        from_bits<typename CFG::entry_t>(CFG::entry(CFG::row(n), address.to_int()));
    y.c[0][n] = entry;
  }
}

}  // namespace eqhls

#endif
