// gram: y[n] = <a[left(n)], b[right(n)]>, the Minkowski product, never rounded before it is
// subtracted.
//
// CFG::size          products
// CFG::left(n)       four-vector of a
// CFG::right(n)      four-vector of b (of a again where all pairs of one set are formed)
// CFG::light_cone    components (+, -, y, z) with <a,b> = (a+ b- + a- b+) / 2 - ay by - az bz,
//                    otherwise (E, x, y, z) with <a,b> = aE bE - ax bx - ay by - az bz
// CFG::sum_t         covering type of y
#ifndef EQHLS_GRAM_H_
#define EQHLS_GRAM_H_

#include "common.h"

namespace eqhls {

// The time-like part of the metric.
template <bool LIGHT_CONE>
struct minkowski {
  template <class Y, class A, class B>
  static Y product(const A& a, int i, const B& b, int j) {
#pragma HLS INLINE
    Y sum = a.c0[i] * b.c0[j];
    sum = sum - a.c1[i] * b.c1[j];
    sum = sum - a.c2[i] * b.c2[j];
    sum = sum - a.c3[i] * b.c3[j];
    return sum;
  }
};

template <>
struct minkowski<true> {
  template <class Y, class A, class B>
  static Y product(const A& a, int i, const B& b, int j) {
#pragma HLS INLINE
    const ap_ufixed<1, 0> half = 0.5;
    // The two products are added before they are halved: those of a square are one product twice, of
    // which Y need not hold the half.
    Y sum = half * (a.c0[i] * b.c1[j] + a.c1[i] * b.c0[j]);
    sum = sum - a.c2[i] * b.c2[j];
    sum = sum - a.c3[i] * b.c3[j];
    return sum;
  }
};

template <class CFG, class A, class B, class Y>
void gram(const A& a, const B& b, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    y.c[0][n] = minkowski<CFG::light_cone>::template product<typename CFG::sum_t>(
        a, CFG::left(n), b, CFG::right(n));
  }
}

template <class CFG, class A, class Y>
void gram(const A& a, Y& y) {
#pragma HLS INLINE
  gram<CFG>(a, a, y);
}

}  // namespace eqhls

#endif
