// arrange: y[n] = x[source(n)], or 0 if source(n) is -1. Wires only.
//
// CFG::size          elements of y
// CFG::source(n)     the element of x behind element n, or -1
#ifndef EQHLS_ARRANGE_H_
#define EQHLS_ARRANGE_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void arrange(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    y.c[0][n] = 0;
    if (CFG::source(n) >= 0) y.c[0][n] = x.c[0][CFG::source(n)];
  }
}

}  // namespace eqhls

#endif
