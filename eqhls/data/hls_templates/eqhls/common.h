// Tensors of eqhls in HLS C++, and what all ops share.
//
// A tensor of shape (*axes, components) is flattened over its axes. Four-vectors may have another
// binary point for each component (light-cone momenta have), so each component is an array of its
// own type; all other representations have one type. Every array is partitioned completely: a
// tensor is a bundle of wires.
//
// Result types are exact (derived by interval analysis), so a sum may be accumulated in the
// result type: partial sums that leave its range come back modulo 2^W.
#ifndef EQHLS_COMMON_H_
#define EQHLS_COMMON_H_

#include "ap_fixed.h"
#include "ap_int.h"

namespace eqhls {

// N four-vectors: (E, x, y, z) or (+, -, y, z).
template <int N, class T0, class T1, class T2, class T3>
struct four_vector {
  static const int size = N;
  static const int dim = 4;
  T0 c0[N];
  T1 c1[N];
  T2 c2[N];
  T3 c3[N];
};

// N tensors of D components of one type: scalars (D = 1), F (6), T (9).
template <int N, int D, class T>
struct components {
  static const int size = N;
  static const int dim = D;
  typedef T value_t;
  T c[D][N];
};

// Apply STEP::run(x, y, arguments) to each component of x and y.
template <class STEP, int N, class A0, class A1, class A2, class A3, int M, class B0, class B1,
          class B2, class B3>
void each(const four_vector<N, A0, A1, A2, A3>& x, four_vector<M, B0, B1, B2, B3>& y) {
#pragma HLS INLINE
  STEP::run(x.c0, y.c0);
  STEP::run(x.c1, y.c1);
  STEP::run(x.c2, y.c2);
  STEP::run(x.c3, y.c3);
}

template <class STEP, int N, int D, class A, int M, class B>
void each(const components<N, D, A>& x, components<M, D, B>& y) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    STEP::run(x.c[d], y.c[d]);
  }
}

// The same with one scalar tensor beside: STEP::run(w, x, y).
template <class STEP, class W, int N, class A0, class A1, class A2, class A3, int M, class B0,
          class B1, class B2, class B3>
void each(const W& w, const four_vector<N, A0, A1, A2, A3>& x,
          four_vector<M, B0, B1, B2, B3>& y) {
#pragma HLS INLINE
  STEP::run(w.c[0], x.c0, y.c0);
  STEP::run(w.c[0], x.c1, y.c1);
  STEP::run(w.c[0], x.c2, y.c2);
  STEP::run(w.c[0], x.c3, y.c3);
}

template <class STEP, class W, int N, int D, class A, int M, class B>
void each(const W& w, const components<N, D, A>& x, components<M, D, B>& y) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    STEP::run(w.c[0], x.c[d], y.c[d]);
  }
}

// Set every component to zero.
template <class T, int N>
void clear(T (&x)[N]) {
#pragma HLS INLINE
  for (int k = 0; k < N; ++k) {
#pragma HLS UNROLL
    x[k] = 0;
  }
}

template <int N, class T0, class T1, class T2, class T3>
void clear(four_vector<N, T0, T1, T2, T3>& x) {
#pragma HLS INLINE
  clear(x.c0);
  clear(x.c1);
  clear(x.c2);
  clear(x.c3);
}

template <int N, int D, class T>
void clear(components<N, D, T>& x) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    clear(x.c[d]);
  }
}

// Read element n of every component into an array of one covering type.
template <int N, class T0, class T1, class T2, class T3, class U>
void load(const four_vector<N, T0, T1, T2, T3>& x, int n, U* to) {
#pragma HLS INLINE
  to[0] = x.c0[n];
  to[1] = x.c1[n];
  to[2] = x.c2[n];
  to[3] = x.c3[n];
}

template <int N, int D, class T, class U>
void load(const components<N, D, T>& x, int n, U* to) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    to[d] = x.c[d][n];
  }
}

// Write element n of every component.
template <int N, class T0, class T1, class T2, class T3, class U>
void store(const U* from, int n, four_vector<N, T0, T1, T2, T3>& x) {
#pragma HLS INLINE
  x.c0[n] = from[0];
  x.c1[n] = from[1];
  x.c2[n] = from[2];
  x.c3[n] = from[3];
}

template <int N, int D, class T, class U>
void store(const U* from, int n, components<N, D, T>& x) {
#pragma HLS INLINE
  for (int d = 0; d < D; ++d) {
#pragma HLS UNROLL
    x.c[d][n] = from[d];
  }
}

// Give a fixed-point number its bits.
template <class T>
T from_bits(long long bits) {
#pragma HLS INLINE
  T value;
  value.range(T::width - 1, 0) = ap_int<64>(bits).range(T::width - 1, 0);
  return value;
}

}  // namespace eqhls

#endif
