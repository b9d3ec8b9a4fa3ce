// select: y[n] = x[source(n)]. Wires only.
//
// CFG::size          elements of y
// CFG::source(n)     the element of x behind element n
#ifndef EQHLS_SELECT_H_
#define EQHLS_SELECT_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct select_step {
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
void select(const X& x, Y& y) {
#pragma HLS INLINE
  each<select_step<CFG> >(x, y);
}

}  // namespace eqhls

#endif
