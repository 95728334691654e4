#include <math.h>

#include "CKernels.h"
#include "clones.h"

CLONES double ck_advance(ptrdiff_t n, double h, const double *restrict f, double *restrict w) {
  double lane[LANES] = {0}, bad[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) {
      double next = w[i + j] + h * f[i + j];
      double change = fabs(next - w[i + j]);
      lane[j] = change > lane[j] ? change : lane[j];
      bad[j] += change - change;
      w[i + j] = next;
    }
  for (int j = 0; i < n; i++, j++) {
    double next = w[i] + h * f[i];
    double change = fabs(next - w[i]);
    lane[j] = change > lane[j] ? change : lane[j];
    bad[j] += change - change;
    w[i] = next;
  }
  return largest(lane, bad);
}

CLONES void ck_axpby(ptrdiff_t n, double alpha, const double *restrict x, double beta,
                     double *restrict y) {
  if (beta == 0)
    for (ptrdiff_t i = 0; i < n; i++) y[i] = alpha * x[i];
  else
    for (ptrdiff_t i = 0; i < n; i++) y[i] = alpha * x[i] + beta * y[i];
}

CLONES void ck_outer(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *restrict a,
                     const double *restrict b, double keep, double *restrict c) {
  for (ptrdiff_t j = 0; j < columns; j++, c += rows) {
    const double s = alpha * b[j];
    if (keep == 0)
      for (ptrdiff_t i = 0; i < rows; i++) c[i] = s * a[i];
    else
      for (ptrdiff_t i = 0; i < rows; i++) c[i] = s * a[i] + keep * c[i];
  }
}

CLONES void ck_add_column(ptrdiff_t rows, ptrdiff_t columns, double alpha,
                          const double *restrict b, double beta, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, y += rows)
    if (beta == 0)
      for (ptrdiff_t i = 0; i < rows; i++) y[i] = alpha * b[i];
    else
      for (ptrdiff_t i = 0; i < rows; i++) y[i] = beta * y[i] + alpha * b[i];
}

CLONES void ck_subtract(ptrdiff_t n, const double *restrict t, const double *restrict x,
                        double *restrict y) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = t[i] - x[i];
}

CLONES void ck_scale_and_shift(ptrdiff_t n, double keep, const double *t, double shift, double *y) {
  if (keep == 0)
    for (ptrdiff_t i = 0; i < n; i++) y[i] = shift;
  else
    for (ptrdiff_t i = 0; i < n; i++) y[i] = keep * t[i] + shift;
}

CLONES void ck_subtract_column(ptrdiff_t rows, ptrdiff_t columns, const double *restrict t,
                               const double *restrict b, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, t += rows, y += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] = t[i] - b[i];
}

CLONES void ck_add_row_sums(ptrdiff_t rows, ptrdiff_t columns, double alpha,
                            const double *restrict x, double *restrict y) {
  ptrdiff_t j = 0;
  // Four columns at a time: y is read and written a quarter as often.
  for (; j + 4 <= columns; j += 4, x += 4 * rows)
    for (ptrdiff_t i = 0; i < rows; i++)
      y[i] += alpha * ((x[i] + x[i + rows]) + (x[i + 2 * rows] + x[i + 3 * rows]));
  for (; j < columns; j++, x += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] += alpha * x[i];
}

// y = t - b - A x for A with K columns, one pass: a product with so short a sum costs more to set up
// than to do.
#define AFFINE_DISCREPANCY(K)                                                \
  for (ptrdiff_t j = 0; j < columns; j++, t += rows, y += rows, x += K)      \
    for (ptrdiff_t i = 0; i < rows; i++) {                                   \
      double sum = b[i];                                                     \
      for (int k = 0; k < K; k++) sum += a[i + k * rows] * x[k];             \
      y[i] = t[i] - sum;                                                     \
    }

CLONES void ck_affine_discrepancy(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t inner,
                                  const double *restrict a, const double *restrict b,
                                  const double *restrict x, const double *restrict t,
                                  double *restrict y) {
  switch (inner) {
    case 1: AFFINE_DISCREPANCY(1) break;
    case 2: AFFINE_DISCREPANCY(2) break;
    case 3: AFFINE_DISCREPANCY(3) break;
    default: AFFINE_DISCREPANCY(4) break;
  }
}

CLONES double ck_sum(ptrdiff_t n, const double *restrict x) {
  double lane[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) lane[j] += x[i + j];
  for (int j = 0; i < n; i++, j++) lane[j] += x[i];
  for (int w = LANES / 2; w > 0; w /= 2)
    for (int j = 0; j < w; j++) lane[j] += lane[j + w];
  return lane[0];
}

CLONES double ck_sum_of_squares(ptrdiff_t n, const double *restrict x) {
  double lane[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) lane[j] += x[i + j] * x[i + j];
  for (int j = 0; i < n; i++, j++) lane[j] += x[i] * x[i];
  for (int w = LANES / 2; w > 0; w /= 2)
    for (int j = 0; j < w; j++) lane[j] += lane[j + w];
  return lane[0];
}

CLONES double ck_max_abs(ptrdiff_t n, const double *restrict x) {
  double lane[LANES] = {0}, bad[LANES] = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) {
      double v = fabs(x[i + j]);
      lane[j] = v > lane[j] ? v : lane[j];
      bad[j] += v - v;
    }
  for (int j = 0; i < n; i++, j++) {
    double v = fabs(x[i]);
    lane[j] = v > lane[j] ? v : lane[j];
    bad[j] += v - v;
  }
  return largest(lane, bad);
}

CLONES void ck_adam(ptrdiff_t n, double rate, double b1, double b2, double epsilon,
                    const double *restrict g, double *restrict m, double *restrict v,
                    double *restrict w) {
  for (ptrdiff_t i = 0; i < n; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    w[i] -= rate * m[i] / (sqrt(v[i]) + epsilon);
  }
}

CLONES void ck_scale_columns(ptrdiff_t rows, ptrdiff_t columns, const double *restrict t,
                             double *restrict y) {
  if (rows == 1) {
    for (ptrdiff_t j = 0; j < columns; j++) y[j] *= t[j];
    return;
  }
  for (ptrdiff_t j = 0; j < columns; j++, y += rows)
    for (ptrdiff_t i = 0; i < rows; i++) y[i] *= t[j];
}

CLONES void ck_add_scaled_columns(ptrdiff_t rows, ptrdiff_t columns, double alpha,
                                  const double *restrict t, const double *restrict x,
                                  double *restrict y) {
  if (rows == 1) {
    for (ptrdiff_t j = 0; j < columns; j++) y[j] += alpha * t[j] * x[j];
    return;
  }
  for (ptrdiff_t j = 0; j < columns; j++, x += rows, y += rows) {
    const double s = alpha * t[j];
    if (s == 0) continue;
    for (ptrdiff_t i = 0; i < rows; i++) y[i] += s * x[i];
  }
}

CLONES void ck_add_column_dots(ptrdiff_t rows, ptrdiff_t columns, double alpha,
                               const double *restrict a, const double *restrict b,
                               double *restrict y) {
  if (rows == 1) {
    for (ptrdiff_t j = 0; j < columns; j++) y[j] += alpha * a[j] * b[j];
    return;
  }
  for (ptrdiff_t j = 0; j < columns; j++, a += rows, b += rows) {
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    ptrdiff_t i = 0;
    for (; i + 8 <= rows; i += 8) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
      s4 += a[i + 4] * b[i + 4];
      s5 += a[i + 5] * b[i + 5];
      s6 += a[i + 6] * b[i + 6];
      s7 += a[i + 7] * b[i + 7];
    }
    for (; i < rows; i++) s0 += a[i] * b[i];
    y[j] += alpha * (((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)));
  }
}
