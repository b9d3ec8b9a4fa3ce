// relu: y[n] = max(x[n], 0), nothing rounded.
//
// CFG::size          elements
#ifndef EQHLS_RELU_H_
#define EQHLS_RELU_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void relu(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    y.c[0][n] = 0;
    if (x.c[0][n] > 0) y.c[0][n] = x.c[0][n];
  }
}

}  // namespace eqhls

#endif
