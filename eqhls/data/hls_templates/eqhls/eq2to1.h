// eq2to1: pairs to particles, five maps. Configuration as for pair_map.
#ifndef EQHLS_EQ2TO1_H_
#define EQHLS_EQ2TO1_H_

#include "pair_map.h"

namespace eqhls {

template <class CFG, class X, class Y>
void eq2to1(const X& x, Y& y) {
#pragma HLS INLINE
  pair_map<CFG>(x, y);
}

}  // namespace eqhls

#endif
