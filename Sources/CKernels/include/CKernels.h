#pragma once
#include <stddef.h>
#include <stdint.h>

/// A scalar piecewise affine function with at most two kinks:
/// P(z) = slope[b] z + offset[b] on branch b = (z >= kink[0]) + (z >= kink[1]),
/// kink[0] <= kink[1]. One kink: kink[1] = +infinity. A kink belongs to its right side.
typedef struct {
  double kink[2];
  double slope[3];
  double offset[3];
} ck_piecewise;

/// y = P(z)
void ck_piecewise_apply(ptrdiff_t n, ck_piecewise p, const double *z, double *y);
/// rho = a - P(z)
void ck_piecewise_discrepancy(ptrdiff_t n, ck_piecewise p, const double *z, const double *a,
                              double *rho);
/// rho = a - P(z), then z += h (slope rho - g) with the slope of z's branch, where g = f, or z - f
/// if f is a prediction of z: what would be three or four passes in one. Counts the branches crossed (squared where two at once); returns the largest
/// change as ck_advance.
double ck_piecewise_relax(ptrdiff_t n, ck_piecewise p, double h, const double *a, const double *f,
                          int f_is_prediction, double *z, double *rho, ptrdiff_t *switched);
/// branch = the branch of z; returns how many changed
ptrdiff_t ck_piecewise_branches(ptrdiff_t n, ck_piecewise p, const double *z, uint16_t *branch);
/// y = scale slope[branch] v + keep y
void ck_branch_multiply(ptrdiff_t n, ck_piecewise p, const uint16_t *branch, double scale,
                        const double *v, double keep, double *y);
/// y = slope[branch] v + offset[branch]
void ck_branch_apply(ptrdiff_t n, ck_piecewise p, const uint16_t *branch, const double *v,
                     double *y);

/// w += h f; returns the largest change of an element, as stored; NaN if one is not finite
double ck_advance(ptrdiff_t n, double h, const double *f, double *w);
/// y = alpha x + beta y
void ck_axpby(ptrdiff_t n, double alpha, const double *x, double beta, double *y);
/// C = alpha a bᵀ + keep C, where C is rows by columns
void ck_outer(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *a, const double *b,
              double keep, double *c);
/// C = alpha A B + keep C with at most CK_SKINNY rows: A is (m, k), B (k, n), C (m, n)
enum { CK_SKINNY = 16 };
void ck_skinny_product(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha, const double *a,
                       const double *b, double keep, double *c);
/// each column of y = beta y + alpha b
void ck_add_column(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *b, double beta,
                   double *y);
/// y = t - x
void ck_subtract(ptrdiff_t n, const double *t, const double *x, double *y);
/// each column of y = t - b
void ck_subtract_column(ptrdiff_t rows, ptrdiff_t columns, const double *t, const double *b,
                        double *y);
/// y += alpha times the row sums of x
void ck_add_row_sums(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *x, double *y);
/// each column of y = t - b - A x, where A is (rows, inner), x (inner, columns), 1 <= inner <= 4
void ck_affine_discrepancy(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t inner, const double *a,
                           const double *b, const double *x, const double *t, double *y);
double ck_sum_of_squares(ptrdiff_t n, const double *x);
/// largest |x|; NaN if an element is not finite
double ck_max_abs(ptrdiff_t n, const double *x);
/// Adam with the bias corrections folded into rate and epsilon:
/// m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, w -= rate m / (sqrt(v) + epsilon)
void ck_adam(ptrdiff_t n, double rate, double b1, double b2, double epsilon, const double *g,
             double *m, double *v, double *w);
/// One share of a piece of work: the context and the number of the share.
typedef void (*ck_work)(void *context, int share);
/// Runs work(context, i) for i in 0..<threads, each on its own thread where one can be had, and
/// returns when all are done. Allocates nothing once the threads run.
void ck_team_run(int threads, ck_work work, void *context);
/// The floating-point kernel set that OpenBLAS uses, e.g. "SkylakeX"; "" if it does not say.
const char *ck_openblas_core(void);
