// eq2to2_symmetric: symmetric pairs to symmetric pairs, the nine maps, triangular storage. Configuration as for pair_map.
#ifndef EQHLS_EQ2TO2_SYMMETRIC_H_
#define EQHLS_EQ2TO2_SYMMETRIC_H_

#include "pair_map.h"

namespace eqhls {

template <class CFG, class X, class Y>
void eq2to2_symmetric(const X& x, Y& y) {
#pragma HLS INLINE
  pair_map<CFG>(x, y);
}

}  // namespace eqhls

#endif
