// What OpenBLAS should do before LinearAlgebra's first call of it: nothing happens to a process that loads
// the library and multiplies no matrices. From then on it holds for the whole process.
//
// Threads: one per product, unless the user chose by OPENBLAS_NUM_THREADS. The library works on
// several blocks of samples at a time; products with threads of their own would fight with that
// (on two cores 100 times slower for small products).
//
// Kernels: OpenBLAS chooses its kernels by CPU model number. A model newer than the library falls back to
// kernels for Prescott (SSE3, 2004) and runs four times slower than it could. Before the first
// call, choose again by what the CPU can do, unless the user chose by OPENBLAS_CORETYPE.
//
// The symbols are weak: an OpenBLAS built for one CPU does not have them, nor the problem.
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

#if defined(__x86_64__) && defined(__linux__)
extern char *gotoblas_corename(void) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));
extern void openblas_set_num_threads(int) __attribute__((weak));

static int predates_avx(const char *core) {
  static const char *const old[] = {"Prescott", "Core2",     "Penryn", "Dunnington", "Nehalem",
                                    "Katmai",   "Coppermine", "Northwood", "Banias", "Atom",
                                    "Athlon",   "Opteron",   "Opteron_SSE3", "Barcelona", "Bobcat"};
  for (size_t i = 0; i < sizeof old / sizeof *old; i++)
    if (strcmp(core, old[i]) == 0) return 1;
  return 0;
}

void ck_prepare_openblas(void) {
  if (openblas_set_num_threads && !getenv("OPENBLAS_NUM_THREADS")) openblas_set_num_threads(1);
  if (!gotoblas_corename || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  if (getenv("OPENBLAS_CORETYPE") || !predates_avx(gotoblas_corename())) return;
  __builtin_cpu_init();
  const char *core = NULL;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    core = "SkylakeX";
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    core = "Haswell";
  if (!core) return;
  setenv("OPENBLAS_CORETYPE", core, 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv("OPENBLAS_CORETYPE");
}

const char *ck_openblas_core(void) { return gotoblas_corename ? gotoblas_corename() : ""; }
#else
void ck_prepare_openblas(void) {}
const char *ck_openblas_core(void) { return ""; }
#endif
