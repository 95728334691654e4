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
/// C = alpha A Bᵀ + keep C for a small C, (m, n) of at most CK_SMALL elements; A is (m, k), B (n, k)
enum { CK_SMALL = 512 };
void ck_small_outer_sum(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, double alpha, const double *a,
                        const double *b, double keep, double *c);
/// each column of y = beta y + alpha b
void ck_add_column(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *b, double beta,
                   double *y);
/// y = t - x
void ck_subtract(ptrdiff_t n, const double *t, const double *x, double *y);
/// y = keep t + shift; t may be y, and is not read where keep = 0
void ck_scale_and_shift(ptrdiff_t n, double keep, const double *t, double shift, double *y);
/// each column of y = t - b
void ck_subtract_column(ptrdiff_t rows, ptrdiff_t columns, const double *t, const double *b,
                        double *y);
/// y += alpha times the row sums of x
void ck_add_row_sums(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *x, double *y);
/// each column of y = t - b - A x, where A is (rows, inner), x (inner, columns), 1 <= inner <= 4
void ck_affine_discrepancy(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t inner, const double *a,
                           const double *b, const double *x, const double *t, double *y);
/// column j of y times t[j]
void ck_scale_columns(ptrdiff_t rows, ptrdiff_t columns, const double *t, double *y);
/// column j of y += alpha t[j] times column j of x
void ck_add_scaled_columns(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *t,
                           const double *x, double *y);
/// y[j] += alpha times the inner product of columns j of a and b
void ck_add_column_dots(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *a,
                        const double *b, double *y);
/// y = 1 / (1 + e^-z)
void ck_sigmoid(ptrdiff_t n, const double *z, double *y);
/// each column of y = e^z over its sum
void ck_softmax(ptrdiff_t rows, ptrdiff_t columns, const double *z, double *y);
double ck_sum(ptrdiff_t n, const double *x);
double ck_sum_of_squares(ptrdiff_t n, const double *x);
/// largest |x|; NaN if an element is not finite
double ck_max_abs(ptrdiff_t n, const double *x);
/// Adam with the bias corrections folded into rate and epsilon:
/// m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2, w -= rate m / (sqrt(v) + epsilon)
void ck_adam(ptrdiff_t n, double rate, double b1, double b2, double epsilon, const double *g,
             double *m, double *v, double *w);
/// A two-dimensional sliding window over images of height x width; output (row, column) looks at
/// (row stride - pad_top + k dilation) for k below the kernel's height, and likewise in the width.
typedef struct {
  ptrdiff_t height, width, out_height, out_width;
  ptrdiff_t kernel_height, kernel_width, stride_height, stride_width;
  ptrdiff_t dilation_height, dilation_width, pad_top, pad_left;
} ck_window;
/// panel, ((row1 - row0) out_width, channels kernel_height kernel_width), = the window elements of
/// the output rows row0..<row1, zero outside the image
void ck_image_to_columns(const ck_window *w, ptrdiff_t channels, ptrdiff_t row0, ptrdiff_t row1,
                         const double *image, double *panel);
/// the transpose of ck_image_to_columns, added to the image
void ck_add_columns_to_image(const ck_window *w, ptrdiff_t channels, ptrdiff_t row0,
                             ptrdiff_t row1, const double *panel, double *image);
/// Whether the machine has the instructions of the two convolutions below.
int ck_has_direct_convolution(void);
/// y, (filters, out_height, out_width), = alpha (W * image + bias) + keep t, where W has one column
/// per filter, (channels kernel_height kernel_width, filters). bias may be null; t may be y, and is
/// not read where keep = 0.
void ck_convolve(const ck_window *w, ptrdiff_t channels, ptrdiff_t filters, const double *weight,
                 double alpha, const double *bias, double keep, const double *t,
                 const double *image, double *y);
/// u, an image, = the transpose of W * v + keep u
void ck_convolve_transposed(const ck_window *w, ptrdiff_t channels, ptrdiff_t filters,
                            const double *weight, double keep, const double *v, double *u);

/// Windows of indices: window i holds source[k] for start[i] <= k < start[i + 1].
/// y[i] = scale weight[i] (sum of x over window i) + keep y[i]
void ck_window_sum(ptrdiff_t n, const int32_t *start, const int32_t *source, const double *weight,
                   double scale, const double *x, double keep, double *y);
/// the transpose of ck_window_sum, added to u
void ck_window_scatter(ptrdiff_t n, const int32_t *start, const int32_t *source,
                       const double *weight, const double *v, double *u);
/// y[i] = the largest x of window i, or the least
void ck_window_extremes(ptrdiff_t n, const int32_t *start, const int32_t *source, int least,
                        const double *x, double *y);
/// branch[i] = the place in window i of its first largest x, or least; returns how many changed
ptrdiff_t ck_window_branches(ptrdiff_t n, const int32_t *start, const int32_t *source, int least,
                             const double *x, uint16_t *branch);
/// y[i] = scale x[element branch[i] of window i] + keep y[i]
void ck_window_select(ptrdiff_t n, const int32_t *start, const int32_t *source,
                      const uint16_t *branch, double scale, const double *x, double keep,
                      double *y);
/// the transpose of ck_window_select, added to u
void ck_window_put(ptrdiff_t n, const int32_t *start, const int32_t *source,
                   const uint16_t *branch, const double *v, double *u);

/// Sparse columns: column j of A has value[k] in row row[k] for start[j] <= k < start[j + 1], j < n.
/// x = scale A^T y + keep x
void ck_sparse_gather(ptrdiff_t n, const ptrdiff_t *start, const int32_t *row, const double *value,
                      double scale, const double *y, double keep, double *x);
/// y += scale A x
void ck_sparse_scatter(ptrdiff_t n, const ptrdiff_t *start, const int32_t *row,
                       const double *value, double scale, const double *x, double *y);

/// y = alpha d x + keep y with a coefficient d for each row
void ck_diagonal_multiply(ptrdiff_t rows, ptrdiff_t columns, double alpha, const double *d,
                          const double *x, double keep, double *y);
/// y = d x + b with coefficients for each row
void ck_diagonal_affine(ptrdiff_t rows, ptrdiff_t columns, const double *d, const double *b,
                        const double *x, double *y);
/// y = t - (d x + b) with coefficients for each row
void ck_diagonal_discrepancy(ptrdiff_t rows, ptrdiff_t columns, const double *d, const double *b,
                             const double *x, const double *t, double *y);
/// y += scale times the sum over the columns of v x, element by element
void ck_add_row_dots(ptrdiff_t rows, ptrdiff_t columns, double scale, const double *v,
                     const double *x, double *y);
/// The parametric rectifier y = z where z >= 0, s z elsewhere, with a slope s for each row.
void ck_prelu_apply(ptrdiff_t rows, ptrdiff_t columns, const double *s, const double *z,
                    double *y);
/// rho = a - (the parametric rectifier of z)
void ck_prelu_discrepancy(ptrdiff_t rows, ptrdiff_t columns, const double *s, const double *z,
                          const double *a, double *rho);
/// y = scale (1 on branch 1, s on branch 0) v + keep y
void ck_prelu_multiply(ptrdiff_t rows, ptrdiff_t columns, const double *s, const uint16_t *branch,
                       double scale, const double *v, double keep, double *y);
/// y += scale times the sum over the columns of v min(z, 0)
void ck_add_prelu_gradient(ptrdiff_t rows, ptrdiff_t columns, double scale, const double *v,
                           const double *z, double *y);

/// Linear splines with coefficients for each row: of K kinks, kink (rows, K), slope and offset (rows,
/// K + 1), branch b = how many kinks are <= z. y = slope_b z + offset_b
void ck_spline_apply(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kinks, const double *kink,
                     const double *slope, const double *offset, const double *z, double *y);
/// branch = that of z; returns how many changed
ptrdiff_t ck_spline_branches(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t kinks,
                             const double *kink, const double *z, uint16_t *branch);
/// y = scale slope_branch v + keep y
void ck_spline_multiply(ptrdiff_t rows, ptrdiff_t columns, const double *slope,
                        const uint16_t *branch, double scale, const double *v, double keep,
                        double *y);
/// y = slope_branch v + offset_branch
void ck_spline_branch_apply(ptrdiff_t rows, ptrdiff_t columns, const double *slope,
                            const double *offset, const uint16_t *branch, const double *v,
                            double *y);

/// A buffer of at least n doubles that belongs to the calling thread until its next call.
double *ck_scratch(ptrdiff_t n);

/// One share of a piece of work: the context and the number of the share.
typedef void (*ck_work)(void *context, int share);
/// Runs work(context, i) for i in 0..<threads, each on its own thread where one can be had, and
/// returns when all are done. Allocates nothing once the threads run.
void ck_team_run(int threads, ck_work work, void *context);
/// Sets OpenBLAS up for this library, threads and kernels; not while another thread is in it.
void ck_prepare_openblas(void);

/// The floating-point kernel set that OpenBLAS uses, e.g. "SkylakeX"; "" if it does not say.
const char *ck_openblas_core(void);
