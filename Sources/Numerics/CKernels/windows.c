// Sliding windows and windows of indices: gather, scatter, extreme elements; sparse columns.
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"
#include "clones.h"
#include "rows.h"

CLONES void ck_image_to_columns(const ck_window *w, ptrdiff_t channels, ptrdiff_t row0,
                                ptrdiff_t row1, const double *restrict image,
                                double *restrict panel) {
  const ptrdiff_t n = w->out_width;
  for (ptrdiff_t c = 0; c < channels; c++, image += w->height * w->width)
    for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++)
      for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++) {
        const ptrdiff_t shift = kx * w->dilation_width - w->pad_left;
        for (ptrdiff_t row = row0; row < row1; row++, panel += n) {
          const ptrdiff_t y = row * w->stride_height + ky * w->dilation_height - w->pad_top;
          copy_row(y < 0 || y >= w->height ? 0 : w->width, n, w->stride_width, shift,
                   image + y * w->width, panel);
        }
      }
}

CLONES void ck_add_columns_to_image(const ck_window *w, ptrdiff_t channels, ptrdiff_t row0,
                                    ptrdiff_t row1, const double *restrict panel,
                                    double *restrict image) {
  const ptrdiff_t n = w->out_width;
  for (ptrdiff_t c = 0; c < channels; c++, image += w->height * w->width)
    for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++)
      for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++) {
        const ptrdiff_t shift = kx * w->dilation_width - w->pad_left, s = w->stride_width;
        ptrdiff_t lo, hi;
        inside(w->width, n, s, shift, &lo, &hi);
        for (ptrdiff_t row = row0; row < row1; row++, panel += n) {
          const ptrdiff_t y = row * w->stride_height + ky * w->dilation_height - w->pad_top;
          if (y < 0 || y >= w->height) continue;
          double *to = image + y * w->width + shift;
          if (s == 1)
            for (ptrdiff_t i = lo; i < hi; i++) to[i] += panel[i];
          else
            for (ptrdiff_t i = lo; i < hi; i++) to[i * s] += panel[i];
        }
      }
}

CLONES void ck_window_sum(ptrdiff_t n, const int32_t *restrict start,
                          const int32_t *restrict source, const double *restrict weight,
                          double scale, const double *restrict x, double keep,
                          double *restrict y) {
  for (ptrdiff_t i = 0; i < n; i++) {
    double sum = 0;
    for (int32_t k = start[i]; k < start[i + 1]; k++) sum += x[source[k]];
    y[i] = scale * weight[i] * sum + (keep == 0 ? 0 : keep * y[i]);
  }
}

void ck_window_scatter(ptrdiff_t n, const int32_t *restrict start, const int32_t *restrict source,
                       const double *restrict weight, const double *restrict v,
                       double *restrict u) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const double share = weight[i] * v[i];
    for (int32_t k = start[i]; k < start[i + 1]; k++) u[source[k]] += share;
  }
}

// The place of the largest, or least, element of window i; the first of several, a NaN where there is
// one.
static inline int32_t extreme_in(const int32_t *start, const int32_t *source, const double *x,
                                 ptrdiff_t i, int least) {
  int32_t best = start[i];
  double top = x[source[best]];
  for (int32_t k = best + 1; k < start[i + 1]; k++) {
    const double value = x[source[k]];
    if ((least ? value < top : value > top) || value != value) top = value, best = k;
  }
  return best;
}

static inline void extremes(ptrdiff_t n, const int32_t *restrict start,
                            const int32_t *restrict source, const double *restrict x,
                            double *restrict y, int least) {
  for (ptrdiff_t i = 0; i < n; i++) {
    double top = x[source[start[i]]];
    for (int32_t k = start[i] + 1; k < start[i + 1]; k++) {
      const double value = x[source[k]];
      top = (least ? value < top : value > top) || value != value ? value : top;
    }
    y[i] = top;
  }
}

static inline ptrdiff_t extreme_branches(ptrdiff_t n, const int32_t *restrict start,
                                         const int32_t *restrict source,
                                         const double *restrict x, uint16_t *restrict branch,
                                         int least) {
  ptrdiff_t changed = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    const uint16_t b = (uint16_t)(extreme_in(start, source, x, i, least) - start[i]);
    changed += b != branch[i];
    branch[i] = b;
  }
  return changed;
}

void ck_window_extremes(ptrdiff_t n, const int32_t *start, const int32_t *source, int least,
                        const double *x, double *y) {
  if (least)
    extremes(n, start, source, x, y, 1);
  else
    extremes(n, start, source, x, y, 0);
}

ptrdiff_t ck_window_branches(ptrdiff_t n, const int32_t *start, const int32_t *source, int least,
                             const double *x, uint16_t *branch) {
  return least ? extreme_branches(n, start, source, x, branch, 1)
               : extreme_branches(n, start, source, x, branch, 0);
}

void ck_window_select(ptrdiff_t n, const int32_t *restrict start, const int32_t *restrict source,
                      const uint16_t *restrict branch, double scale, const double *restrict x,
                      double keep, double *restrict y) {
  for (ptrdiff_t i = 0; i < n; i++)
    y[i] = scale * x[source[start[i] + branch[i]]] + (keep == 0 ? 0 : keep * y[i]);
}

void ck_window_put(ptrdiff_t n, const int32_t *restrict start, const int32_t *restrict source,
                   const uint16_t *restrict branch, const double *restrict v,
                   double *restrict u) {
  for (ptrdiff_t i = 0; i < n; i++) u[source[start[i] + branch[i]]] += v[i];
}

CLONES void ck_sparse_gather(ptrdiff_t n, const ptrdiff_t *restrict start,
                             const int32_t *restrict row, const double *restrict value,
                             double scale, const double *restrict y, double keep,
                             double *restrict x) {
  for (ptrdiff_t j = 0; j < n; j++) {
    double sum = 0;
    for (ptrdiff_t k = start[j]; k < start[j + 1]; k++) sum += value[k] * y[row[k]];
    x[j] = scale * sum + (keep == 0 ? 0 : keep * x[j]);
  }
}

void ck_sparse_scatter(ptrdiff_t n, const ptrdiff_t *restrict start, const int32_t *restrict row,
                       const double *restrict value, double scale, const double *restrict x,
                       double *restrict y) {
  for (ptrdiff_t j = 0; j < n; j++)
    for (ptrdiff_t k = start[j]; k < start[j + 1]; k++) y[row[k]] += scale * value[k] * x[j];
}

double *ck_scratch(ptrdiff_t n) {
  static _Thread_local double *buffer;
  static _Thread_local ptrdiff_t size;
  if (n > size) {
    free(buffer);
    size = n;
    if (posix_memalign((void **)&buffer, 64, (size_t)n * sizeof(double)) != 0) abort();
  }
  return buffer;
}
