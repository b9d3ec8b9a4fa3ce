// to_basis: the components of x[n] in another basis, a map by integers.
//
// CFG::size          elements
// CFG::terms         entries of the matrix that are not 0
// CFG::out(t), first(t), factor(t)
//                    y_out += factor * x_first; factor is an integer
// CFG::value_t, sum_t   covering types of x and y
#ifndef EQHLS_TO_BASIS_H_
#define EQHLS_TO_BASIS_H_

#include "common.h"

namespace eqhls {

template <class CFG, class X, class Y>
void to_basis(const X& x, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    typename CFG::value_t v[X::dim];
#pragma HLS ARRAY_PARTITION variable=v complete dim=0
    typename CFG::sum_t sum[Y::dim];
#pragma HLS ARRAY_PARTITION variable=sum complete dim=0
    load(x, n, v);
    clear(sum);
    for (int t = 0; t < CFG::terms; ++t) {
#pragma HLS UNROLL
      const ap_int<8> factor = CFG::factor(t);
      sum[CFG::out(t)] = sum[CFG::out(t)] + factor * v[CFG::first(t)];
    }
    store(sum, n, y);
  }
}

}  // namespace eqhls

#endif
