// SIMD vectors of one register, and unrolled loops that keep arrays of them in registers.

#ifndef GLUON_ATTN_SIMD_H_
#define GLUON_ATTN_SIMD_H_

#include <cstring>
#include <type_traits>
#include <utility>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "common.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define ALWAYS_INLINE_BODY __attribute__((always_inline))

// Calls body with each of 0 ... count - 1 as a constant, so that arrays of vectors stay in registers.
template <int64_t count, typename Body, int64_t... i>
ALWAYS_INLINE void unroll(Body body, std::integer_sequence<int64_t, i...>) {
  (body(std::integral_constant<int64_t, i>{}), ...);
}

template <int64_t count, typename Body>
ALWAYS_INLINE void unroll(Body body) {
  unroll<count>(body, std::make_integer_sequence<int64_t, count>{});
}

template <typename T>
struct Simd {
  typedef T Vector __attribute__((vector_size(64)));
  static constexpr int64_t width = 64 / sizeof(T);  // numbers per vector

  static Vector load(const T* from) {
    Vector v;
    std::memcpy(&v, from, sizeof(v));
    return v;
  }
  // The first `remaining` numbers, then zeros.
  static Vector load(const T* from, int64_t remaining) {
    if (remaining >= width) return load(from);
#ifdef __AVX512F__
    if constexpr (sizeof(T) == 4) return reinterpret_cast<Vector>(_mm512_maskz_loadu_epi32(first(remaining), from));
    if constexpr (sizeof(T) == 8) return reinterpret_cast<Vector>(_mm512_maskz_loadu_epi64(first(remaining), from));
#endif
    Vector v = {};
    std::memcpy(&v, from, remaining * sizeof(T));
    return v;
  }
  static void store(const Vector& v, T* to) { std::memcpy(to, &v, sizeof(v)); }
  static void store(const Vector& v, T* to, int64_t remaining) {
    if (remaining >= width) return store(v, to);
#ifdef __AVX512F__
    const __m512i bits = reinterpret_cast<__m512i>(v);
    if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_epi32(to, first(remaining), bits);
    if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_epi64(to, first(remaining), bits);
#endif
    std::memcpy(to, &v, remaining * sizeof(T));
  }
  // The same or, with `stream`, past the caches where the processor can; then `fence` follows in the same thread.
  static void put(const Vector& v, T* to, int64_t remaining, bool stream) {
#ifdef __AVX512F__
    if (stream) return _mm512_stream_si512(reinterpret_cast<__m512i*>(to), reinterpret_cast<const __m512i&>(v));
#endif
    store(v, to, remaining);
  }
  // Lets other threads see what was streamed.
  static void fence() {
#ifdef __AVX512F__
    _mm_sfence();
#endif
  }
  // A mask of the first `count` numbers, less than a vector; memcpy would call a function for them.
  static uint16_t first(int64_t count) { return static_cast<uint16_t>((1u << count) - 1); }
  static T sum(const Vector& v) {
    T total = 0;
    for (int64_t lane = 0; lane < width; ++lane) total += v[lane];
    return total;
  }
};

// Whether `lines` lines of `length` numbers are to be streamed: they are whole vectors, and do not stay in a core's
// cache anyway, into which an ordinary store reads them first.
template <typename T>
bool streamed(const T* to, int64_t lines, int64_t length) {
  constexpr int64_t kCache = 1 << 20;
  return lines * length * static_cast<int64_t>(sizeof(T)) >= kCache && length % Simd<T>::width == 0 &&
         reinterpret_cast<uintptr_t>(to) % sizeof(typename Simd<T>::Vector) == 0;
}

// Calls body(task) for 0 ... tasks - 1 in parallel; other threads see afterwards what the tasks streamed.
template <typename Body>
void parallel_streams(int64_t tasks, Body body) {
#pragma omp parallel
  {
#pragma omp for schedule(static) nowait
    for (int64_t task = 0; task < tasks; ++task) body(task);
    Simd<float>::fence();
  }
}

#endif  // GLUON_ATTN_SIMD_H_
