// invariants: <x, x> of every channel; a scalar stays what it is. Configuration as for cg_product;
// CFG::identity is true for scalars.
#ifndef EQHLS_INVARIANTS_H_
#define EQHLS_INVARIANTS_H_

#include "cg_product.h"
#include "rename.h"

namespace eqhls {

template <bool IDENTITY>
struct invariants_of {
  template <class CFG, class A, class Y>
  static void run(const A& a, Y& y) {
#pragma HLS INLINE
    cg_product<CFG>(a, a, y);
  }
};

template <>
struct invariants_of<true> {
  template <class CFG, class A, class Y>
  static void run(const A& a, Y& y) {
#pragma HLS INLINE
    rename<CFG>(a, y);
  }
};

template <class CFG, class A, class Y>
void invariants(const A& a, Y& y) {
#pragma HLS INLINE
  invariants_of<CFG::identity>::template run<CFG>(a, y);
}

}  // namespace eqhls

#endif
