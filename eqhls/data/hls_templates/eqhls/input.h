// input: cut elements out of the packed input word.
//
// CFG::offset        first bit of the port in the word
// CFG::stride        bits of all components of one element; component d follows component d - 1
#ifndef EQHLS_INPUT_H_
#define EQHLS_INPUT_H_

#include "common.h"

namespace eqhls {

// One component: N elements, `stride` bits apart.
template <int STRIDE, class WORD, class T, int N>
void unpack(const WORD& word, int first, T (&x)[N]) {
#pragma HLS INLINE
  for (int k = 0; k < N; ++k) {
#pragma HLS UNROLL
    const int low = first + k * STRIDE;
    x[k].range(T::width - 1, 0) = word.range(low + T::width - 1, low);
  }
}

template <class CFG, class WORD, int N, class T0, class T1, class T2, class T3>
void input(const WORD& word, four_vector<N, T0, T1, T2, T3>& x) {
#pragma HLS INLINE
  unpack<CFG::stride>(word, CFG::offset, x.c0);
  unpack<CFG::stride>(word, CFG::offset + T0::width, x.c1);
  unpack<CFG::stride>(word, CFG::offset + T0::width + T1::width, x.c2);
  unpack<CFG::stride>(word, CFG::offset + T0::width + T1::width + T2::width, x.c3);
}

template <class CFG, class WORD, int N, int D, class T>
void input(const WORD& word, components<N, D, T>& x) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    unpack<CFG::stride>(word, CFG::offset + d * T::width, x.c[d]);
  }
}

}  // namespace eqhls

#endif
