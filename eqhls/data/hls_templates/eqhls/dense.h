// dense: y[n] = sum over d of W(n, d) x[d] (+ bias(n)) over all scalars of the event.
// Configuration as for channel_mix, without dual.
#ifndef EQHLS_DENSE_H_
#define EQHLS_DENSE_H_

#include "channel_mix.h"

namespace eqhls {

template <class CFG, class X, class Y>
void dense(const X& x, Y& y) {
#pragma HLS INLINE
  channel_mix_step<CFG>::run(x.c[0], y.c[0]);
}

}  // namespace eqhls

#endif
