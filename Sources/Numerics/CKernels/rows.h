#pragma once
#include <stddef.h>

// The elements [lo, hi) of a row of n whose source, i stride + shift, lies in a row of `width`.
static inline void inside(ptrdiff_t width, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t shift,
                          ptrdiff_t *lo, ptrdiff_t *hi) {
  const ptrdiff_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const ptrdiff_t end = width - shift <= 0 ? 0 : (width - shift + stride - 1) / stride;
  *hi = end < n ? end : n;
  *lo = first < *hi ? first : *hi;
}

// to[i] = from[i stride + shift] where that is inside, 0 elsewhere.
static inline void copy_row(ptrdiff_t width, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t shift,
                            const double *restrict from, double *restrict to) {
  ptrdiff_t lo, hi;
  inside(width, n, stride, shift, &lo, &hi);
  for (ptrdiff_t i = 0; i < lo; i++) to[i] = 0;
  if (stride == 1)
    for (ptrdiff_t i = lo; i < hi; i++) to[i] = from[i + shift];
  else
    for (ptrdiff_t i = lo; i < hi; i++) to[i] = from[i * stride + shift];
  for (ptrdiff_t i = hi; i < n; i++) to[i] = 0;
}
