// requantize: an assignment with the rounding and overflow of ap_fixed.
//
// CFG::size          elements
// CFG::target0_t, target1_t, target2_t, target3_t
//                    the format of each component of a four-vector; others use target0_t for all
// CFG::extra         sign bits put in front, so that the ap_fixed headers always find the bits that
//                    they round by, even where more bits are dropped than the source has
#ifndef EQHLS_REQUANTIZE_H_
#define EQHLS_REQUANTIZE_H_

#include "common.h"

namespace eqhls {

template <class TARGET, int EXTRA, class A, class B, int N>
void requantize_row(const A (&x)[N], B (&y)[N]) {
#pragma HLS INLINE
  for (int n = 0; n < N; ++n) {
#pragma HLS UNROLL
    const ap_fixed<A::width + EXTRA, A::iwidth + EXTRA> extended = x[n];
    const TARGET rounded = extended;
    y[n] = rounded;
  }
}

template <class CFG, int N, class A0, class A1, class A2, class A3, class B0, class B1, class B2,
          class B3>
void requantize(const four_vector<N, A0, A1, A2, A3>& x, four_vector<N, B0, B1, B2, B3>& y) {
#pragma HLS INLINE
  requantize_row<typename CFG::target0_t, CFG::extra>(x.c0, y.c0);
  requantize_row<typename CFG::target1_t, CFG::extra>(x.c1, y.c1);
  requantize_row<typename CFG::target2_t, CFG::extra>(x.c2, y.c2);
  requantize_row<typename CFG::target3_t, CFG::extra>(x.c3, y.c3);
}

template <class CFG, int N, int D, class A, class B>
void requantize(const components<N, D, A>& x, components<N, D, B>& y) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    requantize_row<typename CFG::target0_t, CFG::extra>(x.c[d], y.c[d]);
  }
}

}  // namespace eqhls

#endif
