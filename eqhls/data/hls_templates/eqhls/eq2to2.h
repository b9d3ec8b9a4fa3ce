// eq2to2: pairs to pairs, the fifteen maps of PELICAN. Configuration as for pair_map.
#ifndef EQHLS_EQ2TO2_H_
#define EQHLS_EQ2TO2_H_

#include "pair_map.h"

namespace eqhls {

template <class CFG, class X, class Y>
void eq2to2(const X& x, Y& y) {
#pragma HLS INLINE
  pair_map<CFG>(x, y);
}

}  // namespace eqhls

#endif
