// Element by element with a coefficient for each row.
#include "CKernels.h"
#include "clones.h"

CLONES void ck_diagonal_multiply(ptrdiff_t rows, ptrdiff_t columns, double alpha,
                                 const double *restrict d, const double *restrict x, double keep,
                                 double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, x += rows, y += rows)
    if (keep == 0)
      for (ptrdiff_t i = 0; i < rows; i++) y[i] = alpha * d[i] * x[i];
    else
      for (ptrdiff_t i = 0; i < rows; i++) y[i] = alpha * d[i] * x[i] + keep * y[i];
}

CLONES void ck_diagonal_affine(ptrdiff_t rows, ptrdiff_t columns, const double *restrict d,
                               const double *restrict b, const double *restrict x,
                               double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, x += rows, y += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] = d[i] * x[i] + b[i];
}

CLONES void ck_diagonal_discrepancy(ptrdiff_t rows, ptrdiff_t columns, const double *restrict d,
                                    const double *restrict b, const double *restrict x,
                                    const double *restrict t, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, x += rows, t += rows, y += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] = t[i] - (d[i] * x[i] + b[i]);
}

CLONES void ck_add_row_dots(ptrdiff_t rows, ptrdiff_t columns, double scale,
                            const double *restrict v, const double *restrict x,
                            double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, x += rows, v += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] += scale * v[i] * x[i];
}

CLONES void ck_prelu_apply(ptrdiff_t rows, ptrdiff_t columns, const double *restrict s,
                           const double *restrict z, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, z += rows, y += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] = (z[i] >= 0 ? 1 : s[i]) * z[i];
}

CLONES void ck_prelu_discrepancy(ptrdiff_t rows, ptrdiff_t columns, const double *restrict s,
                                 const double *restrict z, const double *restrict a,
                                 double *restrict rho) {
  for (ptrdiff_t j = 0; j < columns; j++, z += rows, a += rows, rho += rows)
    for (ptrdiff_t i = 0; i < rows; i++) rho[i] = a[i] - (z[i] >= 0 ? 1 : s[i]) * z[i];
}

CLONES void ck_prelu_multiply(ptrdiff_t rows, ptrdiff_t columns, const double *restrict s,
                              const uint16_t *restrict branch, double scale,
                              const double *restrict v, double keep, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, v += rows, y += rows, branch += rows)
    if (keep == 0)
      for (ptrdiff_t i = 0; i < rows; i++) y[i] = scale * (branch[i] ? 1 : s[i]) * v[i];
    else
      for (ptrdiff_t i = 0; i < rows; i++)
        y[i] = scale * (branch[i] ? 1 : s[i]) * v[i] + keep * y[i];
}

CLONES void ck_add_prelu_gradient(ptrdiff_t rows, ptrdiff_t columns, double scale,
                                  const double *restrict v, const double *restrict z,
                                  double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, z += rows, v += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] += scale * v[i] * (z[i] >= 0 ? 0 : z[i]);
}
