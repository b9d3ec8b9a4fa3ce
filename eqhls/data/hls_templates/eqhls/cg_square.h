// cg_square: the Clebsch-Gordan product of a tensor with itself; terms (a, b) and (b, a) share
// one product. Configuration as for cg_product.
#ifndef EQHLS_CG_SQUARE_H_
#define EQHLS_CG_SQUARE_H_

#include "cg_product.h"

namespace eqhls {

template <class CFG, class A, class Y>
void cg_square(const A& a, Y& y) {
#pragma HLS INLINE
  cg_product<CFG>(a, a, y);
}

}  // namespace eqhls

#endif
