// log_add: y = b + rise(a - b), the logarithm of a sum of two numbers known by theirs.
//
// CFG::size          elements of y
// CFG::first(n)      the element of a behind element n (broadcast over named axes)
// CFG::second(n)     the element of b behind element n
// CFG::difference_t  the type of a - b, exact
// CFG::rise(d)       raw integer of rise_t for the bits d of a - b as an unsigned number
#ifndef EQHLS_LOG_ADD_H_
#define EQHLS_LOG_ADD_H_

#include "common.h"

namespace eqhls {

template <class CFG, class A, class B, class Y>
void log_add(const A& a, const B& b, Y& y) {
#pragma HLS INLINE
  for (int n = 0; n < CFG::size; ++n) {
#pragma HLS UNROLL
    typename CFG::difference_t difference = a.c[0][CFG::first(n)];
    difference -= b.c[0][CFG::second(n)];
    const int width = CFG::difference_t::width;
    const ap_uint<width> address = difference.range(width - 1, 0);
    const typename CFG::rise_t rise = from_bits<typename CFG::rise_t>(CFG::rise(address.to_int()));
    y.c[0][n] = b.c[0][CFG::second(n)] + rise;
  }
}

}  // namespace eqhls

#endif
