// The product of a matrix of few rows with a wide one, as in the last layer of a classifier.
// OpenBLAS allocates in this case; here a panel of A, padded to CK_SKINNY rows, stays on the stack
// and in the first cache while four columns of B go by.
#include "CKernels.h"
#include "clones.h"

enum { PANEL = 128, COLUMNS = 4 };

CLONES void ck_skinny_product(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha,
                              const double *restrict a, const double *restrict b, double keep,
                              double *restrict c) {
  double panel[PANEL][CK_SKINNY] __attribute__((aligned(64)));
  for (ptrdiff_t p = 0; p < PANEL; p++)
    for (ptrdiff_t i = 0; i < CK_SKINNY; i++) panel[p][i] = 0;
  for (ptrdiff_t first = 0; first < k; first += PANEL) {
    const ptrdiff_t depth = k - first < PANEL ? k - first : PANEL;
    const double old = first == 0 ? keep : 1;
    for (ptrdiff_t p = 0; p < depth; p++)
      for (ptrdiff_t i = 0; i < m; i++) panel[p][i] = alpha * a[i + (first + p) * m];
    for (ptrdiff_t j = 0; j < n; j += COLUMNS) {
      const ptrdiff_t w = n - j < COLUMNS ? n - j : COLUMNS;
      double sum[COLUMNS][CK_SKINNY] __attribute__((aligned(64))) = {{0}};
      const double *column[COLUMNS];
      // Columns beyond the last repeat it and are not written.
      for (int q = 0; q < COLUMNS; q++) column[q] = b + first + (j + (q < w ? q : w - 1)) * k;
      for (ptrdiff_t p = 0; p < depth; p++)
        for (int q = 0; q < COLUMNS; q++)
          for (int i = 0; i < CK_SKINNY; i++) sum[q][i] += panel[p][i] * column[q][p];
      for (ptrdiff_t q = 0; q < w; q++)
        for (ptrdiff_t i = 0; i < m; i++) {
          double *at = &c[i + (j + q) * m];
          *at = (old == 0 ? 0 : old * *at) + sum[q][i];
        }
    }
  }
}

// Sums of outer products with a small result: it stays in the first cache, and four columns at a time read
// and write it a quarter as often. A general product would pack its factors first.
CLONES void ck_small_outer_sum(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha,
                               const double *restrict a, const double *restrict b, double keep,
                               double *restrict c) {
  for (ptrdiff_t i = 0; i < m * n; i++) c[i] = keep == 0 ? 0 : keep * c[i];
  ptrdiff_t l = 0;
  for (; l + 4 <= k; l += 4, a += 4 * m, b += 4 * n)
    for (ptrdiff_t j = 0; j < n; j++) {
      const double s0 = alpha * b[j], s1 = alpha * b[j + n];
      const double s2 = alpha * b[j + 2 * n], s3 = alpha * b[j + 3 * n];
      double *restrict cj = c + j * m;
      for (ptrdiff_t i = 0; i < m; i++)
        cj[i] += (s0 * a[i] + s1 * a[i + m]) + (s2 * a[i + 2 * m] + s3 * a[i + 3 * m]);
    }
  for (; l < k; l++, a += m, b += n)
    for (ptrdiff_t j = 0; j < n; j++) {
      const double s = alpha * b[j];
      for (ptrdiff_t i = 0; i < m; i++) c[i + j * m] += s * a[i];
    }
}
