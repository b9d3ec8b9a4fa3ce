// magnitude: y[n] = |x[n]|, nothing rounded.
//
// CFG::size          elements
#ifndef EQHLS_MAGNITUDE_H_
#define EQHLS_MAGNITUDE_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void magnitude(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    if (x.c[0][n] < 0) {
      y.c[0][n] = -x.c[0][n];
    } else {
      y.c[0][n] = x.c[0][n];
    }
  }
}

}  // namespace eqhls

#endif
