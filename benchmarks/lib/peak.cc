// What one thread of this processor can do at most: multiply-adds in registers, and reading memory. Prints
// "NAME UNITS": operations (two for a multiply-add) or bytes a second, the best of several rounds.
#include <immintrin.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr int kRounds = 7;
constexpr int kChains = 12;  // independent sums, more than a multiply-add has cycles of latency times units

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename Run>
void Print(const char* name, double units, Run run) {
  double best = 1e30;
  for (int round = 0; round < kRounds; ++round) {
    const double start = Seconds();
    run();
    const double spent = Seconds() - start;
    if (spent < best) best = spent;
  }
  std::printf("%s %.6g\n", name, units / best);
}

template <typename Vector, typename Step>
void Chains(const char* name, Vector zero, double operations, Step step) {
  constexpr long kSteps = 8000000;
  Print(name, operations * kChains * kSteps, [&] {
    Vector sums[kChains];
    for (auto& sum : sums) sum = zero;
    for (long i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
      for (int j = 0; j < kChains; ++j) {
        sums[j] = step(sums[j]);
        asm volatile("" : "+v"(sums[j]));  // stays in its register, and in the program
      }
    }
  });
}

void Memory() {
  std::vector<std::uint64_t> data(1 << 25, 1);  // 256 MiB, more than caches hold
  volatile std::uint64_t kept = 0;
  Print("memory", 8.0 * data.size(), [&] {
    std::uint64_t sums[8] = {};
    for (std::size_t i = 0; i < data.size(); i += 8)
      for (int j = 0; j < 8; ++j) sums[j] += data[i + j];
    for (auto sum : sums) kept = kept + sum;
  });
}

}  // namespace

int main() {
#if defined(__AVX512F__)
  const __m512 one = _mm512_set1_ps(1.0f);
  Chains("float32", _mm512_setzero_ps(), 32, [&](__m512 sum) { return _mm512_fmadd_ps(one, one, sum); });
#elif defined(__FMA__)
  const __m256 one = _mm256_set1_ps(1.0f);
  Chains("float32", _mm256_setzero_ps(), 16, [&](__m256 sum) { return _mm256_fmadd_ps(one, one, sum); });
#endif
#if defined(__AVX512BF16__)
  const __m512bh pair = (__m512bh)_mm512_set1_epi32(0x3f803f80);  // 1 and 1
  Chains("bfloat16", _mm512_setzero_ps(), 64, [&](__m512 sum) { return _mm512_dpbf16_ps(sum, pair, pair); });
#endif
#if defined(__AVX512VNNI__)
  const __m512i four = _mm512_set1_epi8(1);
  Chains("int8", _mm512_setzero_si512(), 128, [&](__m512i sum) { return _mm512_dpbusd_epi32(sum, four, four); });
#endif
  Memory();
}
