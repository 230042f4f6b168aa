// What one thread of this processor can do at most: multiply-adds in registers, and moving bytes. Prints "NAME UNITS":
// operations (two for a multiply-add) or bytes per second. Each is the best of several rounds with pauses between them,
// since a neighbour on the same core halves both. Bytes are moved within a buffer of so many MiB, of which each thread
// has its part (the argument says how many there are); the faster of reading and copying counts. With CLOCK=processor
// seconds are the processor's.
#include <immintrin.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr int kRounds = 7;
constexpr int kLargest = 192;    // MiB
constexpr int kPause = 300000;  // microseconds
constexpr int kChains = 12;     // independent sums, more than a multiply-add has cycles of latency times units

std::map<std::string, double> best;

double Seconds() {
  static const char* clock = std::getenv("CLOCK");
  static const bool processor = clock != nullptr && std::string(clock) == "processor";
  timespec now;
  clock_gettime(processor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

template <typename Run>
void Measure(const std::string& name, double units, Run run) {
  const double start = Seconds();
  run();
  best[name] = std::max(best[name], units / (Seconds() - start));
}

// not inlined: between other code the compiler may keep the sums in memory
template <typename Vector, typename Step>
[[gnu::noinline]] void Sum(Vector zero, long steps, Step step) {
  Vector sums[kChains];
#pragma GCC unroll 12
  for (int j = 0; j < kChains; ++j) sums[j] = zero;
  for (long i = 0; i < steps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) {
      sums[j] = step(sums[j]);
      asm volatile("" : "+v"(sums[j]));  // stays in its register, and in the program
    }
  }
}

template <typename Vector, typename Step>
void Chains(const char* name, Vector zero, double operations, Step step) {
  constexpr long kSteps = 8000000;
  Measure(name, operations * kChains * kSteps, [&] { Sum(zero, kSteps, step); });
}

void Arithmetic() {
#if defined(__AVX512F__)
  const __m512 one = _mm512_set1_ps(1.0f);
  Chains("float32", _mm512_setzero_ps(), 32, [=](__m512 sum) { return _mm512_fmadd_ps(one, one, sum); });
#elif defined(__FMA__)
  const __m256 one = _mm256_set1_ps(1.0f);
  Chains("float32", _mm256_setzero_ps(), 16, [=](__m256 sum) { return _mm256_fmadd_ps(one, one, sum); });
#endif
#if defined(__AVX512BF16__)
  const __m512bh pair = (__m512bh)_mm512_set1_epi32(0x3f803f80);  // 1 and 1
  Chains("bfloat16", _mm512_setzero_ps(), 64, [=](__m512 sum) { return _mm512_dpbf16_ps(sum, pair, pair); });
#endif
#if defined(__AVX512VNNI__)
  const __m512i four = _mm512_set1_epi8(1);
  Chains("int8", _mm512_setzero_si512(), 128, [=](__m512i sum) { return _mm512_dpbusd_epi32(sum, four, four); });
#endif
}

void Memory(std::vector<std::uint64_t>& data, int mebibytes, int threads) {
  const std::string name = "memory-" + std::to_string(mebibytes);
  const std::size_t all = static_cast<std::size_t>(mebibytes) << 17, size = all / threads / 32 * 32, half = size / 2;
  const int times = kLargest / mebibytes;  // a round is long enough to be measured
  volatile std::uint64_t kept = 0;
  Measure(name, 8.0 * size * times, [&] {
    for (int time = 0; time < times; ++time) {
      std::uint64_t sums[32] = {};
      for (std::size_t i = 0; i < size; i += 32)
        for (int j = 0; j < 32; ++j) sums[j] += data[i + j];
      for (auto sum : sums) kept = kept + sum;
    }
  });
  Measure(name, 8.0 * size * times, [&] {
    for (int time = 0; time < times; ++time) {
      std::memcpy(data.data() + half, data.data(), 8 * half);
      asm volatile("" ::"r"(data.data()) : "memory");  // the copy is used
    }
  });
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::max(1, std::atoi(arguments[1])) : 1;
  std::vector<std::uint64_t> data(kLargest << 17, 1);
  for (int round = 0; round < kRounds; ++round) {
    if (round) usleep(kPause);
    Arithmetic();
    for (int mebibytes : {2, 8, 64, kLargest}) Memory(data, mebibytes, threads);
  }
  for (const auto& [name, units] : best) std::printf("%s %.6g\n", name.c_str(), units);
}
