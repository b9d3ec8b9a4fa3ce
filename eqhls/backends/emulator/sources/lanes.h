// Lanes of integers, one event each, as vectors of the compiler. No library but C++17, and no endianness but little.
//
// A value of 16 bits of all events is one vector, H. A value of 32 bits is a pair of vectors, W: the events of even
// number and those of odd number, and one of 64 bits a pair of pairs, D. So a wider value is made by shifts within
// the vectors, never by a permutation. All are unsigned, since overflow of signed integers is undefined in C++;
// `sar` and `sext` read them as two's complement.
#if defined(__AVX512BW__)
#define EQ_BYTES 64
#elif defined(__AVX2__)
#define EQ_BYTES 32
#else
#define EQ_BYTES 16
#endif
#define EQ_IN [[maybe_unused]] static inline __attribute__((always_inline))

typedef uint16_t H __attribute__((vector_size(EQ_BYTES)));
typedef uint32_t V32 __attribute__((vector_size(EQ_BYTES)));
typedef uint64_t V64 __attribute__((vector_size(EQ_BYTES)));
typedef int16_t S16 __attribute__((vector_size(EQ_BYTES)));
typedef int32_t S32 __attribute__((vector_size(EQ_BYTES)));
typedef int64_t S64 __attribute__((vector_size(EQ_BYTES)));

template <class V>
struct Two {
  V even, odd;
};
typedef Two<V32> W;
typedef Two<Two<V64>> D;

const int EVENTS = EQ_BYTES / 2;

EQ_IN H splat(H, int64_t c) { return H{} + static_cast<uint16_t>(c); }
EQ_IN V32 splat(V32, int64_t c) { return V32{} + static_cast<uint32_t>(c); }
EQ_IN V64 splat(V64, int64_t c) { return V64{} + static_cast<uint64_t>(c); }
template <class V>
EQ_IN Two<V> splat(Two<V>, int64_t c) {
  return {splat(V{}, c), splat(V{}, c)};
}
template <class L>
EQ_IN L all(int64_t c) {
  return splat(L{}, c);
}

#define EQ_BINARY(op)                                \
  template <class V>                                 \
  EQ_IN Two<V> operator op(Two<V> a, Two<V> b) {     \
    return {a.even op b.even, a.odd op b.odd};       \
  }
EQ_BINARY(+)
EQ_BINARY(-)
EQ_BINARY(*)
EQ_BINARY(&)
EQ_BINARY(|)
EQ_BINARY(^)
template <class V>
EQ_IN Two<V> operator~(Two<V> a) {
  return {~a.even, ~a.odd};
}

// Shifts: to the left, and to the right with the sign.
EQ_IN H shl(H a, int n) { return a << n; }
EQ_IN V32 shl(V32 a, int n) { return a << n; }
EQ_IN V64 shl(V64 a, int n) { return a << n; }
EQ_IN H sar(H a, int n) { return (H)((S16)a >> n); }
EQ_IN V32 sar(V32 a, int n) { return (V32)((S32)a >> n); }
EQ_IN V64 sar(V64 a, int n) { return (V64)((S64)a >> n); }
template <class V>
EQ_IN Two<V> shl(Two<V> a, int n) {
  return {shl(a.even, n), shl(a.odd, n)};
}
template <class V>
EQ_IN Two<V> sar(Two<V> a, int n) {
  return {sar(a.even, n), sar(a.odd, n)};
}

// The low bits alone, with their sign (dropped: the bits of the lane above them) or without one.
template <class L>
EQ_IN L sext(L a, int dropped) {
  return sar(shl(a, dropped), dropped);
}
template <class L>
EQ_IN L zext(L a, int64_t mask) {
  return a & all<L>(mask);
}

// -1 where a is zero, else 0.
EQ_IN H zero(H a) { return (H)(a == H{}); }
EQ_IN V32 zero(V32 a) { return (V32)(a == V32{}); }
EQ_IN V64 zero(V64 a) { return (V64)(a == V64{}); }
template <class V>
EQ_IN Two<V> zero(Two<V> a) {
  return {zero(a.even), zero(a.odd)};
}

template <class L>
EQ_IN L relu(L a, int top) {
  return a & ~sar(a, top);
}
template <class L>
EQ_IN L mux(L mask, L yes, L no) {
  return (mask & yes) | (~mask & no);
}

// Bit B of the number of ones in each column of up to seven rows.
template <class L>
EQ_IN void count(L& one, L& two, L& four, L row) {
  const L carry = one & row;
  four = four ^ (two & carry);
  two = two ^ carry;
  one = one ^ row;
}
template <int B, class L, class... Rows>
EQ_IN L ones(L first, Rows... rest) {
  L one = first, two = all<L>(0), four = all<L>(0);
  (count(one, two, four, rest), ...);
  return B == 0 ? one : B == 1 ? two : four;
}

// From one lane to another: wider with the sign, narrower by the low bits.
EQ_IN V64 even(V64 a) { return sar(shl(a, 32), 32); }
EQ_IN W wide(H a) { return {sar(shl((V32)a, 16), 16), sar((V32)a, 16)}; }
EQ_IN Two<V64> wide(V32 a) { return {even((V64)a), sar((V64)a, 32)}; }
EQ_IN D wide(W a) { return {wide(a.even), wide(a.odd)}; }
EQ_IN H narrow(W a) { return (H)((a.even & 0xffffu) | (a.odd << 16)); }
EQ_IN V32 narrow(Two<V64> a) { return (V32)((a.even & 0xffffffffull) | (a.odd << 32)); }
EQ_IN W narrow(D a) { return {narrow(a.even), narrow(a.odd)}; }
EQ_IN H to_h(H a) { return a; }
EQ_IN H to_h(W a) { return narrow(a); }
EQ_IN H to_h(D a) { return narrow(narrow(a)); }
EQ_IN W to_w(H a) { return wide(a); }
EQ_IN W to_w(W a) { return a; }
EQ_IN W to_w(D a) { return narrow(a); }
EQ_IN D to_d(H a) { return wide(wide(a)); }
EQ_IN D to_d(W a) { return wide(a); }
EQ_IN D to_d(D a) { return a; }

// The product of two values of 16 bits with their signs, in 32 bits.
EQ_IN W product(H a, H b) {
#if defined(__AVX512BW__)
  const V32 low = all<V32>(0xffff);
  return {(V32)_mm512_madd_epi16((__m512i)a, (__m512i)((V32)b & low)),
          (V32)_mm512_madd_epi16((__m512i)a, (__m512i)((V32)b & ~low))};
#elif defined(__AVX2__)
  const V32 low = all<V32>(0xffff);
  return {(V32)_mm256_madd_epi16((__m256i)a, (__m256i)((V32)b & low)),
          (V32)_mm256_madd_epi16((__m256i)a, (__m256i)((V32)b & ~low))};
#else
  return wide(a) * wide(b);
#endif
}

// The place of an event in a value of each width, as an index of its integers.
EQ_IN int place(uint16_t, int event) { return event; }
EQ_IN int place(uint32_t, int event) { return (event & 1) * (EVENTS / 2) + (event >> 1); }
EQ_IN int place(uint64_t, int event) {
  return (event & 1) * (EVENTS / 2) + ((event >> 1) & 1) * (EVENTS / 4) + (event >> 2);
}
template <class L>
struct Integer;
template <>
struct Integer<H> {
  typedef uint16_t type;
};
template <>
struct Integer<W> {
  typedef uint32_t type;
};
template <>
struct Integer<D> {
  typedef uint64_t type;
};

// Tables, by addresses that are not negative. T is int16_t, int32_t or int64_t. The loop is a function of its own:
// compilers would spend most of their time on copies of it.
template <class Out, class In, class T>
__attribute__((noinline)) void look_up(const T* table, const In* from, Out* to) {
  for (int k = 0; k < EVENTS; ++k) to[place(Out(), k)] = static_cast<Out>(table[from[place(In(), k)]]);
}
template <class L, class A, class T>
EQ_IN L look(const T* table, A address) {
  typename Integer<A>::type from[EVENTS];
  typename Integer<L>::type to[EVENTS];
  std::memcpy(from, &address, sizeof address);
  look_up(table, from, to);
  L found;
  std::memcpy(&found, to, sizeof found);
  return found;
}

// Tables of N entries of 16 bits, by addresses of which only the bits below N count. A table is written at least
// 64 entries long, the N again and again, and ends with one entry that is never taken.
#if defined(__AVX512BW__)
template <int N>
EQ_IN __m512i permuted(const int16_t* table, __m512i address) {
  if constexpr (N <= 64) {
    const __m512i* rows = reinterpret_cast<const __m512i*>(table);
    return _mm512_permutex2var_epi16(_mm512_loadu_si512(rows), address, _mm512_loadu_si512(rows + 1));
  } else {
    const __mmask32 upper = _mm512_test_epi16_mask(address, _mm512_set1_epi16(N / 2));
    const __m512i low = permuted<N / 2>(table, address), high = permuted<N / 2>(table + N / 2, address);
    return _mm512_mask_blend_epi16(upper, low, high);
  }
}
#endif

#if defined(__AVX2__)
EQ_IN V32 gathered(const int16_t* table, V32 address) {
  const int* base = reinterpret_cast<const int*>(table);
#if defined(__AVX512BW__)
  return (V32)_mm512_i32gather_epi32((__m512i)address, base, 2);
#else
  return (V32)_mm256_i32gather_epi32(base, (__m256i)address, 2);
#endif
}
#endif

template <int N>
EQ_IN H small(const int16_t* table, H address) {
#if defined(__AVX512BW__)
  if constexpr (N <= 512) return (H)permuted<N>(table, (__m512i)address);
#endif
  const H place = zext(address, N - 1);
#if defined(__AVX2__)
  return narrow(W{gathered(table, (V32)place & 0xffffu), gathered(table, (V32)place >> 16)});
#else
  return look<H>(table, place);
#endif
}

// Rows of integers, in and out of lanes.
template <class L, class T>
EQ_IN L lanes(const T (&row)[EVENTS]) {
  L found;
  static_assert(sizeof found == sizeof row, "a value of all events is a row");
  std::memcpy(&found, row, sizeof found);
  return found;
}
template <class L, class T>
EQ_IN void keep(L value, T (&row)[EVENTS]) {
  static_assert(sizeof value == sizeof row, "a value of all events is a row");
  std::memcpy(row, &value, sizeof value);
}

// Columns of `length` elements of up to EVENTS events, `stride` integers from one event to the next.
template <class T>
[[maybe_unused]] __attribute__((noinline)) void load(T (*rows)[EVENTS], const int64_t* from, int length, int stride, int count) {
  for (int k = 0; k < count; ++k) {
    for (int j = 0; j < length; ++j) rows[j][place(T(), k)] = static_cast<T>(from[k * stride + j]);
  }
}
template <class T>
[[maybe_unused]] __attribute__((noinline)) void store(const T (*rows)[EVENTS], int64_t* to, int length, int stride, int count) {
  typedef typename std::make_signed<T>::type Signed;
  for (int k = 0; k < count; ++k) {
    for (int j = 0; j < length; ++j) to[k * stride + j] = static_cast<Signed>(rows[j][place(T(), k)]);
  }
}
