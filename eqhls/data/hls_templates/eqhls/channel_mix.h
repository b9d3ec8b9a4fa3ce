// channel_mix: y[n] = sum over d of W(n, d) x[source(n, d)] (+ bias(n)); the same weights act on every
// component of the representation. For F, `dual` adds the Hodge dual:
// y_c += sum over d of D(n, d) * sum over k of star(c, k) x_k.
//
// CFG::size, terms   elements of y, channels of x
// CFG::source(n, d)  element of x
// CFG::weight(n, d), dual(n, d), bias(n)   raw integers of weight_t, weight_t and bias_t
// CFG::star(c, k)    raw integer of star_t: the matrix of the Hodge dual, F only
// CFG::has_bias, has_dual
#ifndef EQHLS_CHANNEL_MIX_H_
#define EQHLS_CHANNEL_MIX_H_

#include "common.h"

namespace eqhls {

template <class CFG>
struct channel_mix_step {
  template <class A, class B>
  static void run(const A* x, B* y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      B sum = 0;
      for (int d = 0; d < CFG::terms; ++d) {
#pragma HLS UNROLL
        sum = sum + from_bits<typename CFG::weight_t>(CFG::weight(n, d)) * x[CFG::source(n, d)];
      }
      if (CFG::has_bias) sum = sum + from_bits<typename CFG::bias_t>(CFG::bias(n));
      y[n] = sum;
    }
  }
};

template <bool DUAL>
struct channel_mix_dual {
  template <class CFG, class X, class Y>
  static void run(const X&, Y&) {}
};

template <>
struct channel_mix_dual<true> {
  template <class CFG, class X, class Y>
  static void run(const X& x, Y& y) {
#pragma HLS INLINE
    for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
      for (int c = 0; c < Y::dim; ++c) {
#pragma HLS UNROLL
        typename Y::value_t sum = y.c[c][n];
        for (int d = 0; d < CFG::terms; ++d) {
#pragma HLS UNROLL
          for (int k = 0; k < X::dim; ++k) {
#pragma HLS UNROLL
            sum = sum + from_bits<typename CFG::weight_t>(CFG::dual(n, d)) *
                            (from_bits<typename CFG::star_t>(CFG::star(c, k)) *
                             x.c[k][CFG::source(n, d)]);
          }
        }
        y.c[c][n] = sum;
      }
    }
  }
};

template <class CFG, class X, class Y>
void channel_mix(const X& x, Y& y) {
#pragma HLS INLINE
  each<channel_mix_step<CFG> >(x, y);
  channel_mix_dual<CFG::has_dual>::template run<CFG>(x, y);
}

}  // namespace eqhls

#endif
