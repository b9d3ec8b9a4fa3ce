// particle_max: y[n] = the largest of x[source(n, t)] over t, nothing rounded.
//
// CFG::size          elements of y
// CFG::terms         entries of the axis
// CFG::source(n, t)  the element of x
#ifndef EQHLS_PARTICLE_MAX_H_
#define EQHLS_PARTICLE_MAX_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void particle_max(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    int best = CFG::source(n, 0);
    for (int t = 1; t < CFG::terms; ++t) {
#pragma HLS UNROLL
      if (x.c[0][CFG::source(n, t)] > x.c[0][best]) best = CFG::source(n, t);
    }
    y.c[0][n] = x.c[0][best];
  }
}

}  // namespace eqhls

#endif
