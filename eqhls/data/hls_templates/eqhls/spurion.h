// spurion: a constant tensor; products with it become shifts and adds.
//
// CFG::bits(d, n)    raw bits of component d of element n
#ifndef EQHLS_SPURION_H_
#define EQHLS_SPURION_H_

#include "common.h"

namespace eqhls {

template <class CFG, class T, int N>
void fill(int d, T (&x)[N]) {
#pragma HLS INLINE
  for (int k = 0; k < N; ++k) {
#pragma HLS UNROLL
    x[k] = from_bits<T>(CFG::bits(d, k));
  }
}

template <class CFG, int N, class T0, class T1, class T2, class T3>
void spurion(four_vector<N, T0, T1, T2, T3>& x) {
#pragma HLS INLINE
  fill<CFG>(0, x.c0);
  fill<CFG>(1, x.c1);
  fill<CFG>(2, x.c2);
  fill<CFG>(3, x.c3);
}

template <class CFG, int N, int D, class T>
void spurion(components<N, D, T>& x) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    fill<CFG>(d, x.c[d]);
  }
}

}  // namespace eqhls

#endif
