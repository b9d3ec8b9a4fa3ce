// Runs events through the top function of a project, with every value written out as the bits of its type.
// Compiled once per project, with EQHLS_SPACE and EQHLS_TOP as its namespace and function; called through ctypes.
#include <cstdint>

namespace eqhls_trace {

std::int64_t* at;

template <class T>
void bits(const T& x) {
  T copy = x;
  *at++ = static_cast<std::int64_t>(copy.range(T::width - 1, 0).to_uint64());
}

// All elements of a tensor, components last: four-vectors with a type for each component, and all others.
template <class V>
auto values(const V& v, int) -> decltype(static_cast<void>(v.c0[0])) {
  for (int n = 0; n < V::size; ++n) bits(v.c0[n]), bits(v.c1[n]), bits(v.c2[n]), bits(v.c3[n]);
}
template <class V>
auto values(const V& v, int) -> decltype(static_cast<void>(v.c[0][0])) {
  for (int n = 0; n < V::size; ++n)
    for (int d = 0; d < V::dim; ++d) bits(v.c[d][n]);
}

}  // namespace eqhls_trace

#include "traced.cpp"

extern "C" void eqhls_trace_run(const std::uint32_t* in, std::int64_t* out, long events) {
  typedef EQHLS_SPACE::in_word_t word_t;
  const int width = word_t::width, words = (width + 31) / 32;
  eqhls_trace::at = out;
  for (long e = 0; e < events; ++e) {
    word_t word = 0;
    for (int k = 0; k < words; ++k) {
      const int low = 32 * k, high = low + 31 < width - 1 ? low + 31 : width - 1;
      word.range(high, low) = ap_uint<32>(in[e * words + k]).range(high - low, 0);
    }
    EQHLS_SPACE::out_word_t result = 0;
    EQHLS_TOP(word, result);
  }
}
