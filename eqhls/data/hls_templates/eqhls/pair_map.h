// pair_map: the linear maps that commute with permutations of the particles, in three sums.
//
//   s[m] = sum over t of x[member(m, t)]                     rows, columns, diagonals, totals
//   z[q] = sum over t of mix_weight(q, t) s[feature(q, t)]   mixed channels
//   y[k] = round(sum over t of weight(k, t) x[source(k, t)]) + sum over t of z[part(k, t)] + bias(k)
//
// CFG::sums, members, mixes, features, size, terms, parts   sizes
// An index of -1 is not a term. Weights are raw integers of weight_t, biases of bias_t; s is sum_t.
// z, and the pair's own part of y, are accumulated in mix_t and rounded down to kept_t, which are exact
// modulo the power of two of the result, like every partial sum.
#ifndef EQHLS_PAIR_MAP_H_
#define EQHLS_PAIR_MAP_H_

#include "common.h"

namespace eqhls {

template <class CFG, class A>
void pair_map_sums(const A* x, typename CFG::sum_t* s) {
#pragma HLS INLINE
  for (int m = 0; m < CFG::sums; ++m) {
#pragma HLS UNROLL
    typename CFG::sum_t sum = 0;
    for (int t = 0; t < CFG::members; ++t) {
#pragma HLS UNROLL
      if (CFG::member(m, t) >= 0) sum = sum + x[CFG::member(m, t)];
    }
    s[m] = sum;
  }
}

template <class CFG>
void pair_map_mixes(const typename CFG::sum_t* s, typename CFG::kept_t* z) {
#pragma HLS INLINE
  for (int q = 0; q < CFG::mixes; ++q) {
#pragma HLS UNROLL
    typename CFG::mix_t sum = 0;
    for (int t = 0; t < CFG::features; ++t) {
#pragma HLS UNROLL
      if (CFG::feature(q, t) >= 0) {
        sum = sum + from_bits<typename CFG::weight_t>(CFG::mix_weight(q, t)) * s[CFG::feature(q, t)];
      }
    }
    z[q] = sum;
  }
}

template <class CFG, class X, class Y>
void pair_map(const X& x, Y& y) {
#pragma HLS INLINE
  typedef typename Y::value_t B;
  typename CFG::sum_t s[CFG::sums];
#pragma HLS ARRAY_PARTITION variable=s complete dim=0
  typename CFG::kept_t z[CFG::mixes];
#pragma HLS ARRAY_PARTITION variable=z complete dim=0
  pair_map_sums<CFG>(x.c[0], s);
  pair_map_mixes<CFG>(s, z);
  for (int k = 0; k < CFG::size; ++k) {
#pragma HLS UNROLL
    typename CFG::mix_t own = 0;
    for (int t = 0; t < CFG::terms; ++t) {
#pragma HLS UNROLL
      if (CFG::source(k, t) >= 0) {
        own = own + from_bits<typename CFG::weight_t>(CFG::weight(k, t)) * x.c[0][CFG::source(k, t)];
      }
    }
    const typename CFG::kept_t kept = own;
    B sum = from_bits<typename CFG::bias_t>(CFG::bias(k));
    sum = sum + kept;
    for (int t = 0; t < CFG::parts; ++t) {
#pragma HLS UNROLL
      if (CFG::part(k, t) >= 0) sum = sum + z[CFG::part(k, t)];
    }
    y.c[0][k] = sum;
  }
}

}  // namespace eqhls

#endif
