// concat: y[target(k, n)] = x_k[n] for every input x_k. Wires only.
//
// CFG::size(k)       elements of input k
// CFG::target(k, n)  where element n of input k goes
#ifndef EQHLS_CONCAT_H_
#define EQHLS_CONCAT_H_

#include "common.h"

namespace eqhls {

template <class CFG, int K>
struct concat_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size(K); ++n) {
#pragma HLS UNROLL
      y[CFG::target(K, n)] = x[n];
    }
  }
};

template <class CFG, int K, class Y>
void concat_from(Y&) {}

template <class CFG, int K, class Y, class X, class... REST>
void concat_from(Y& y, const X& x, const REST&... rest) {
#pragma HLS INLINE
  each<concat_step<CFG, K> >(x, y);
  concat_from<CFG, K + 1>(y, rest...);
}

template <class CFG, class Y, class... X>
void concat(Y& y, const X&... x) {
#pragma HLS INLINE
  concat_from<CFG, 0>(y, x...);
}

}  // namespace eqhls

#endif
