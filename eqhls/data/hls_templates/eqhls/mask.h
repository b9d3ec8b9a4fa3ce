// mask: y[n] = x[n] where the flag of its slot is 1, else exactly 0.
//
// CFG::size          elements of x and y
// CFG::flag(n)       the flag that rules element n
#ifndef EQHLS_MASK_H_
#define EQHLS_MASK_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct mask_step {
  template <class F, class A, class B>
  static void run(const F* flag, const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      if (flag[CFG::flag(n)] != 0) {
        y[n] = x[n];
      } else {
        y[n] = 0;
      }
    }
  }
};

template <class CFG, class X, class F, class Y>
void mask(const X& x, const F& flag, Y& y) {
#pragma HLS INLINE
  each<mask_step<CFG> >(flag, x, y);
}

}  // namespace eqhls

#endif
