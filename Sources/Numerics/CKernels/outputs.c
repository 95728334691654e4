#include <math.h>
#include <string.h>

#include "CKernels.h"
#include "clones.h"

// e^x within 2 units in the last place, in arithmetic that vectorises: x = n ln 2 + r with |r| <= ln 2 / 2,
// e^r by its Taylor sum to degree 13 (remainder below 2e-17), n added to the exponent. Arguments outside
// [-708, 709] count as the ends of it; NaN stays NaN.
static inline double exponential(double x) {
  const double shift = 0x1.8p52;
  double c = x < -708 ? -708 : x;
  c = c > 709 ? 709 : c;
  const double t = c * 0x1.71547652b82fep0 + shift;
  const double n = t - shift;
  const double r = (c - n * 0x1.62e42fefa3800p-1) - n * 0x1.ef35793c76730p-45;
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r * r + r;
  p += 1;
  uint64_t bits, power;
  memcpy(&bits, &p, 8);
  memcpy(&power, &t, 8);
  bits += power << 52;
  memcpy(&p, &bits, 8);
  return x == x ? p : x;
}

CLONES void ck_sigmoid(ptrdiff_t n, const double *restrict z, double *restrict y) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = 1 / (1 + exponential(-z[i]));
}

CLONES void ck_softmax(ptrdiff_t rows, ptrdiff_t columns, const double *restrict z,
                       double *restrict y) {
  for (ptrdiff_t j = 0; j < columns; j++) {
    const double *zj = z + j * rows;
    double *yj = y + j * rows;
    double top = zj[0];
    for (ptrdiff_t i = 1; i < rows; i++) top = zj[i] > top ? zj[i] : top;
    for (ptrdiff_t i = 0; i < rows; i++) yj[i] = zj[i] - top;
  }
  // All columns at once: columns of a few rows would leave the lanes empty.
  for (ptrdiff_t k = 0; k < rows * columns; k++) y[k] = exponential(y[k]);
  for (ptrdiff_t j = 0; j < columns; j++) {
    double *yj = y + j * rows;
    double sum = 0;
    for (ptrdiff_t i = 0; i < rows; i++) sum += yj[i];
    const double share = 1 / sum;
    for (ptrdiff_t i = 0; i < rows; i++) yj[i] *= share;
  }
}
