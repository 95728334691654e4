#include <math.h>

#include "CKernels.h"
#include "clones.h"

// The branch tables of the one-kink and the two-kink case. A loop with one comparison is twice as
// fast as one with two, so every kernel has both loops, chosen by BOTH_KINDS.
#define ONE(table, z) ((z) >= k0 ? table##1 : table##0)
#define TWO(table, z) ((z) >= k1 ? table##2 : ((z) >= k0 ? table##1 : table##0))
#define UNPACK(p)                                                            \
  const double k0 = p.kink[0], k1 = p.kink[1];                               \
  const double s0 = p.slope[0], s1 = p.slope[1], s2 = p.slope[2];            \
  const double c0 = p.offset[0], c1 = p.offset[1], c2 = p.offset[2];         \
  (void)k1, (void)s2, (void)c0, (void)c1, (void)c2
#define BOTH_KINDS(LOOP) \
  if (p.kink[1] == INFINITY) { LOOP(ONE) } else { LOOP(TWO) }

CLONES void ck_piecewise_apply(ptrdiff_t n, ck_piecewise p, const double *restrict z,
                               double *restrict y) {
  UNPACK(p);
#define LOOP(AT) \
  for (ptrdiff_t i = 0; i < n; i++) y[i] = AT(s, z[i]) * z[i] + AT(c, z[i]);
  BOTH_KINDS(LOOP)
#undef LOOP
}

CLONES void ck_piecewise_discrepancy(ptrdiff_t n, ck_piecewise p, const double *restrict z,
                                     const double *restrict a, double *restrict rho) {
  UNPACK(p);
#define LOOP(AT) \
  for (ptrdiff_t i = 0; i < n; i++) rho[i] = a[i] - (AT(s, z[i]) * z[i] + AT(c, z[i]));
  BOTH_KINDS(LOOP)
#undef LOOP
}

CLONES double ck_piecewise_relax(ptrdiff_t n, ck_piecewise p, double h, const double *restrict a,
                                 const double *restrict f, int f_is_prediction,
                                 double *restrict z, double *restrict rho, ptrdiff_t *switched) {
  // g = own z + sign f.
  const double own = f_is_prediction ? 1 : 0, sign = f_is_prediction ? -1 : 1;
  UNPACK(p);
  const double b0 = 0, b1 = 1, b2 = 2;  // branches as doubles, so that all lanes have one width
  double lane[LANES] = {0}, bad[LANES] = {0}, moved[LANES] = {0};
#define ELEMENT(AT)                                               \
  {                                                               \
    double old = z[i + j], slope = AT(s, old);                    \
    double r = a[i + j] - (slope * old + AT(c, old));             \
    double next = old + h * (slope * r - (own * old + sign * f[i + j])); \
    double change = fabs(next - old), jump = AT(b, next) - AT(b, old); \
    rho[i + j] = r;                                               \
    z[i + j] = next;                                              \
    lane[j] = change > lane[j] ? change : lane[j];                \
    bad[j] += change - change;                                    \
    moved[j] += jump * jump;                                      \
  }
#define LOOP(AT)                                                  \
  {                                                               \
    ptrdiff_t i = 0;                                              \
    for (; i + LANES <= n; i += LANES)                            \
      for (int j = 0; j < LANES; j++) ELEMENT(AT)                 \
    for (int j = 0; j < n - i; j++) ELEMENT(AT)                   \
  }
  BOTH_KINDS(LOOP)
#undef LOOP
#undef ELEMENT
  (void)b2;
  double total = 0;
  for (int j = 0; j < LANES; j++) total += moved[j];
  *switched = (ptrdiff_t)total;
  return largest(lane, bad);
}

CLONES ptrdiff_t ck_piecewise_branches(ptrdiff_t n, ck_piecewise p, const double *restrict z,
                                       uint16_t *restrict branch) {
  const double k0 = p.kink[0], k1 = p.kink[1];
  ptrdiff_t changed = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    uint16_t b = (uint16_t)(z[i] >= k0) + (uint16_t)(z[i] >= k1);
    changed += b != branch[i];
    branch[i] = b;
  }
  return changed;
}

#define BRANCH(table, b) ((b) == 0 ? table##0 : ((b) == 1 ? table##1 : table##2))

CLONES void ck_branch_multiply(ptrdiff_t n, ck_piecewise p, const uint16_t *restrict branch,
                               double scale, const double *restrict v, double keep,
                               double *restrict y) {
  const double s0 = scale * p.slope[0], s1 = scale * p.slope[1], s2 = scale * p.slope[2];
  if (keep == 0)
    for (ptrdiff_t i = 0; i < n; i++) y[i] = BRANCH(s, branch[i]) * v[i];
  else
    for (ptrdiff_t i = 0; i < n; i++) y[i] = BRANCH(s, branch[i]) * v[i] + keep * y[i];
}

CLONES void ck_branch_apply(ptrdiff_t n, ck_piecewise p, const uint16_t *restrict branch,
                            const double *restrict v, double *restrict y) {
  const double s0 = p.slope[0], s1 = p.slope[1], s2 = p.slope[2];
  const double c0 = p.offset[0], c1 = p.offset[1], c2 = p.offset[2];
  for (ptrdiff_t i = 0; i < n; i++) y[i] = BRANCH(s, branch[i]) * v[i] + BRANCH(c, branch[i]);
}
