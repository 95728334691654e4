#include "sparse_rivals.h"
#include <string.h>
#include <sys/resource.h>
#include <suitesparse/cholmod.h>

int64_t cholmod_system(
    int64_t n, const int64_t *starts, const int64_t *rows, const double *values, double *x, int64_t *megabytes) {
  cholmod_common common;
  cholmod_l_start(&common);
  cholmod_sparse a = {0};
  a.nrow = a.ncol = n;
  a.nzmax = starts[n];
  a.p = (void *)starts;
  a.i = (void *)rows;
  a.x = (void *)values;
  a.stype = -1;
  a.itype = CHOLMOD_LONG;
  a.xtype = CHOLMOD_REAL;
  a.dtype = CHOLMOD_DOUBLE;
  a.sorted = a.packed = 1;
  cholmod_factor *factor = cholmod_l_analyze(&a, &common);
  cholmod_l_factorize(&a, factor, &common);
  int64_t entries = common.status == CHOLMOD_OK ? (int64_t)common.lnz : -1;
  cholmod_dense b = {0};
  b.nrow = b.nzmax = b.d = n;
  b.ncol = 1;
  b.x = x;
  b.xtype = CHOLMOD_REAL;
  b.dtype = CHOLMOD_DOUBLE;
  cholmod_dense *solution = cholmod_l_solve(CHOLMOD_A, factor, &b, &common);
  *megabytes = common.memory_usage >> 20;
  memcpy(x, solution->x, n * sizeof(double));
  cholmod_l_free_dense(&solution, &common);
  cholmod_l_free_factor(&factor, &common);
  cholmod_l_finish(&common);
  return entries;
}

void plain_product(
    int64_t rows, const int64_t *starts, const int32_t *columns, const double *values,
    const double *x, double *y) {
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0;
    for (int64_t k = starts[i]; k < starts[i + 1]; k++) sum += values[k] * x[columns[k]];
    y[i] = sum;
  }
}

int64_t peak_megabytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}
