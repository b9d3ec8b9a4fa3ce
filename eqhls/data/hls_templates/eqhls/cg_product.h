// cg_product: the Clebsch-Gordan product of a[left(n)] and b[right(n)] along one path.
//
// CFG::size          elements of y
// CFG::terms         products of two components
// CFG::out(t), first(t), second(t), factor(t)
//                    y_out += factor * a_first * b_second; factor is an integer
// CFG::left_t, right_t, sum_t   covering types of a, of b, of the sums
// CFG::result_t      the bits of a sum with the binary point of y: factors are fractions of a power of two
#ifndef EQHLS_CG_PRODUCT_H_
#define EQHLS_CG_PRODUCT_H_

#include "common.h"

namespace eqhls {

template <class CFG, class A, class B, class Y>
void cg_product(const A& a, const B& b, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    typename CFG::left_t u[A::dim];
#pragma HLS ARRAY_PARTITION variable=u complete dim=0
    typename CFG::right_t v[B::dim];
#pragma HLS ARRAY_PARTITION variable=v complete dim=0
    typename CFG::sum_t sum[Y::dim];
#pragma HLS ARRAY_PARTITION variable=sum complete dim=0
    load(a, CFG::left(n), u);
    load(b, CFG::right(n), v);
    clear(sum);
    for (int t = 0; t < CFG::terms; ++t) {
#pragma HLS UNROLL
      const ap_int<8> factor = CFG::factor(t);
      sum[CFG::out(t)] = sum[CFG::out(t)] + factor * (u[CFG::first(t)] * v[CFG::second(t)]);
    }
    typename CFG::result_t scaled[Y::dim];
#pragma HLS ARRAY_PARTITION variable=scaled complete dim=0
    for (int d = 0; d < Y::dim; ++d) {
#pragma HLS UNROLL
      scaled[d].range(CFG::result_t::width - 1, 0) = sum[d].range(CFG::sum_t::width - 1, 0);
    }
    store(scaled, n, y);
  }
}

}  // namespace eqhls

#endif
