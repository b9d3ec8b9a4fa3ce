// add: y[n] = sum over inputs of +- x_k[source(k, n)].
//
// CFG::size          elements of y
// CFG::source(k, n)  the element of input k behind element n (broadcast over named axes)
// CFG::minus(k)      whether input k is subtracted
#ifndef EQHLS_ADD_H_
#define EQHLS_ADD_H_

#include "common.h"

namespace eqhls {

template <class CFG, int K>
struct add_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      if (CFG::minus(K)) {
        y[n] = y[n] - x[CFG::source(K, n)];
      } else {
        y[n] = y[n] + x[CFG::source(K, n)];
      }
    }
  }
};

template <class CFG, int K, class Y>
void add_from(Y&) {}

template <class CFG, int K, class Y, class X, class... REST>
void add_from(Y& y, const X& x, const REST&... rest) {
#pragma HLS INLINE
  each<add_step<CFG, K> >(x, y);
  add_from<CFG, K + 1>(y, rest...);
}

template <class CFG, class Y, class... X>
void add(Y& y, const X&... x) {
#pragma HLS INLINE
  clear(y);
  add_from<CFG, 0>(y, x...);
}

}  // namespace eqhls

#endif
