// particle_sum: y[n] = sum over t of x[source(n, t)], at full width.
//
// CFG::size          elements of y
// CFG::terms         entries of the summed axis
// CFG::source(n, t)  the element of x
#ifndef EQHLS_PARTICLE_SUM_H_
#define EQHLS_PARTICLE_SUM_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct particle_sum_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      B sum = 0;
      for (int t = 0; t < CFG::terms; ++t) {
#pragma HLS UNROLL
        sum = sum + x[CFG::source(n, t)];
      }
      y[n] = sum;
    }
  }
};

template <class CFG, class X, class Y>
void particle_sum(const X& x, Y& y) {
#pragma HLS INLINE
  each<particle_sum_step<CFG> >(x, y);
}

}  // namespace eqhls

#endif
