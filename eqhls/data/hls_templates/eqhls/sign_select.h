// sign_select: y[n] = a[value(n)], negated if x[sign(n)] < 0, nothing rounded.
//
// CFG::size          elements of y
// CFG::value(n)      the element of a behind element n (broadcast over named axes)
// CFG::sign(n)       the element of x whose sign it takes
#ifndef EQHLS_SIGN_SELECT_H_
#define EQHLS_SIGN_SELECT_H_

#include "common.h"

namespace eqhls {

template <class CFG, class A, class X, class Y>
void sign_select(const A& a, const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    if (x.c[0][CFG::sign(n)] < 0) {
      y.c[0][n] = -a.c[0][CFG::value(n)];
    } else {
      y.c[0][n] = a.c[0][CFG::value(n)];
    }
  }
}

}  // namespace eqhls

#endif
