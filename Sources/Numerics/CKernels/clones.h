#pragma once
// One body, compiled for AVX-512, AVX2 and the baseline, chosen at load time.
#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Independent partial results, so that a reduction vectorises without reassociation.
enum { LANES = 16 };

// The maximum over the lanes, or NaN where some element was not finite: a comparison drops NaN,
// so each lane also sums v - v, which is 0 for finite v and NaN otherwise.
static inline double largest(const double *lane, const double *bad) {
  double m = 0, b = 0;
  for (int j = 0; j < LANES; j++) {
    m = lane[j] > m ? lane[j] : m;
    b += bad[j];
  }
  return m + b;
}
