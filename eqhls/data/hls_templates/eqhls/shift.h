// shift: y[n] = x[source(n)], the entries of a ring moved around it. Wires only.
//
// CFG::size          elements of y
// CFG::source(n)     the element of x behind element n
#ifndef EQHLS_SHIFT_H_
#define EQHLS_SHIFT_H_

#include "common.h"
#include "select.h"

namespace eqhls {

template <class CFG, class X, class Y>
void shift(const X& x, Y& y) {
#pragma HLS INLINE
  select<CFG>(x, y);
}

}  // namespace eqhls

#endif
