// clamp: every component is brought into -bound..bound.
//
// CFG::size          elements
// CFG::bound         raw integer of bound_t, a signed format that holds both ends
#ifndef EQHLS_CLAMP_H_
#define EQHLS_CLAMP_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct clamp_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    const typename CFG::bound_t high = from_bits<typename CFG::bound_t>(CFG::bound);
    const typename CFG::bound_t low = from_bits<typename CFG::bound_t>(-CFG::bound);
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      if (x[n] > high) {
        y[n] = high;
      } else if (x[n] < low) {
        y[n] = low;
      } else {
        y[n] = x[n];
      }
    }
  }
};

template <class CFG, class X, class Y>
void clamp(const X& x, Y& y) {
#pragma HLS INLINE
  each<clamp_step<CFG> >(x, y);
}

}  // namespace eqhls

#endif
