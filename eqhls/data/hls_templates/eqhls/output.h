// output: pack a result into the output word, element by element, components innermost.
//
// CFG::offset, CFG::stride as for input. Values are cast to the port's type, which holds them.
#ifndef EQHLS_OUTPUT_H_
#define EQHLS_OUTPUT_H_

#include "common.h"

namespace eqhls {

template <class PORT, int STRIDE, class WORD, class T, int N>
void pack(const T (&x)[N], int first, WORD& word) {
#pragma HLS INLINE
  for (int k = 0; k < N; ++k) {
#pragma HLS UNROLL
    const int low = first + k * STRIDE;
    const PORT value = x[k];
    word.range(low + PORT::width - 1, low) = value.range(PORT::width - 1, 0);
  }
}

template <class CFG, class WORD, int N, class T0, class T1, class T2, class T3>
void output(const four_vector<N, T0, T1, T2, T3>& x, WORD& word) {
#pragma HLS INLINE
  pack<T0, CFG::stride>(x.c0, CFG::offset, word);
  pack<T1, CFG::stride>(x.c1, CFG::offset + T0::width, word);
  pack<T2, CFG::stride>(x.c2, CFG::offset + T0::width + T1::width, word);
  pack<T3, CFG::stride>(x.c3, CFG::offset + T0::width + T1::width + T2::width, word);
}

template <class CFG, class WORD, int N, int D, class T>
void output(const components<N, D, T>& x, WORD& word) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    pack<T, CFG::stride>(x.c[d], CFG::offset + d * T::width, word);
  }
}

}  // namespace eqhls

#endif
