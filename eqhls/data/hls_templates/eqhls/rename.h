// rename: another name for an axis; the numbers stay where they are.
//
// CFG::size          elements
#ifndef EQHLS_RENAME_H_
#define EQHLS_RENAME_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct rename_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      y[n] = x[n];
    }
  }
};

template <class CFG, class X, class Y>
void rename(const X& x, Y& y) {
#pragma HLS INLINE
  each<rename_step<CFG> >(x, y);
}

}  // namespace eqhls

#endif
