// eq1to2: particles to pairs, five maps. Configuration as for pair_map.
#ifndef EQHLS_EQ1TO2_H_
#define EQHLS_EQ1TO2_H_

#include "pair_map.h"

namespace eqhls {

template <class CFG, class X, class Y>
void eq1to2(const X& x, Y& y) {
#pragma HLS INLINE
  pair_map<CFG>(x, y);
}

}  // namespace eqhls

#endif
