// Linear splines with kinks, slopes and offsets for each row.
#include "CKernels.h"
#include "clones.h"

static inline ptrdiff_t branch_of(double z, ptrdiff_t rows, ptrdiff_t kinks,
                                  const double *restrict kink) {
  ptrdiff_t b = 0;
  for (ptrdiff_t k = 0; k < kinks; k++) b += z >= kink[k * rows];
  return b;
}

CLONES void ck_spline_apply(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kinks,
                            const double *restrict kink, const double *restrict slope,
                            const double *restrict offset, const double *restrict z,
                            double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, z += rows, y += rows)
    for (ptrdiff_t i = 0; i < rows; i++) {
      const ptrdiff_t at = i + rows * branch_of(z[i], rows, kinks, kink + i);
      y[i] = slope[at] * z[i] + offset[at];
    }
}

CLONES ptrdiff_t ck_spline_branches(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kinks,
                                    const double *restrict kink, const double *restrict z,
                                    uint16_t *restrict branch) {
  ptrdiff_t changed = 0;
  for (ptrdiff_t j = 0; j < columns; j++, z += rows, branch += rows)
    for (ptrdiff_t i = 0; i < rows; i++) {
      const uint16_t b = (uint16_t)branch_of(z[i], rows, kinks, kink + i);
      changed += b != branch[i];
      branch[i] = b;
    }
  return changed;
}

CLONES void ck_spline_multiply(ptrdiff_t rows, ptrdiff_t columns, const double *restrict slope,
                               const uint16_t *restrict branch, double scale,
                               const double *restrict v, double keep, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, v += rows, y += rows, branch += rows)
    for (ptrdiff_t i = 0; i < rows; i++)
      y[i] = scale * slope[i + rows * branch[i]] * v[i] + (keep == 0 ? 0 : keep * y[i]);
}

CLONES void ck_spline_branch_apply(ptrdiff_t rows, ptrdiff_t columns, const double *restrict slope,
                                   const double *restrict offset, const uint16_t *restrict branch,
                                   const double *restrict v, double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++, v += rows, y += rows, branch += rows)
    for (ptrdiff_t i = 0; i < rows; i++) {
      const ptrdiff_t at = i + rows * branch[i];
      y[i] = slope[at] * v[i] + offset[at];
    }
}
