// shift: y[n] = x[source(n)], the entries of a ring moved around it. Wires only.
//
// CFG::size          elements of y
// CFG::source(n)     the element of x behind element n
#ifndef EQHLS_SHIFT_H_
#define EQHLS_SHIFT_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct shift_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      y[n] = x[CFG::source(n)];
    }
  }
};

template <class CFG, class X, class Y>
void shift(const X& x, Y& y) {
#pragma HLS INLINE
  each<shift_step<CFG> >(x, y);
}

}  // namespace eqhls

#endif
