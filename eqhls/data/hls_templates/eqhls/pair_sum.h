// pair_sum: y[n] = sum over t of w[weight(n, t)] * x[sender(n, t)], nothing rounded.
//
// CFG::size          elements of y
// CFG::terms         senders
// CFG::weight(n, t)  the weight of sender t for element n
// CFG::sender(n, t)  the element of x
#ifndef EQHLS_PAIR_SUM_H_
#define EQHLS_PAIR_SUM_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct pair_sum_step {
  template <class W, class A, class B>
  static void run(const W* w, const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      B sum = 0;
      for (int t = 0; t < CFG::terms; ++t) {
#pragma HLS UNROLL
        sum = sum + w[CFG::weight(n, t)] * x[CFG::sender(n, t)];
      }
      y[n] = sum;
    }
  }
};

template <class CFG, class W, class X, class Y>
void pair_sum(const W& w, const X& x, Y& y) {
#pragma HLS INLINE
  each<pair_sum_step<CFG> >(w, x, y);
}

}  // namespace eqhls

#endif
