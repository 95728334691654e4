// Convolutions without im2col: the image is copied once with its padding, and the window elements of
// eight neighbouring places are one load from the copy. A tile of 8 filters x 2 vectors of places
// stays in registers while the window's elements go by; with 3 vectors clang spills (measured: a
// forward pass takes 13 % longer). Written for AVX-512; without it the caller uses matrix products.
#include <string.h>

#include "CKernels.h"
#include "rows.h"

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define INLINE static inline __attribute__((always_inline))

int ck_has_direct_convolution(void) { return __builtin_cpu_supports("avx512f"); }

enum { WIDTH = 8, VECTORS = 2, FILTERS = 8 };

// A term of the sum at a place: source[x] w[w].
typedef struct {
  ptrdiff_t x, w;
} tap;

// The places of the results, how far apart neighbours are in the source and in the target, and what
// to do with a sum: target = alpha (sum + bias[filter]) + keep t.
typedef struct {
  ptrdiff_t rows, columns;
  ptrdiff_t source_row;
  ptrdiff_t row, column, plane;
  double alpha, keep;
  const double *bias, *t;
} places;

// One vector of places: its first source, its offset in a plane of the target, its lanes in use.
typedef struct {
  const double *source;
  ptrdiff_t target;
  __mmask8 lanes;
} group_of_places;

AVX512 INLINE void finish(const places *g, __m512d sum, double bias, ptrdiff_t at, __mmask8 lanes,
                          double *y) {
  __m512d result = _mm512_mul_pd(_mm512_set1_pd(g->alpha), _mm512_add_pd(sum, _mm512_set1_pd(bias)));
  const __m512d keep = _mm512_set1_pd(g->keep);
  if (g->column == 1) {
    if (g->keep != 0)
      result = _mm512_fmadd_pd(keep, _mm512_maskz_loadu_pd(lanes, g->t + at), result);
    _mm512_mask_storeu_pd(y + at, lanes, result);
  } else {
    const __m512i step = _mm512_setr_epi64(0, g->column, 2 * g->column, 3 * g->column, 4 * g->column,
                                           5 * g->column, 6 * g->column, 7 * g->column);
    if (g->keep != 0)
      result = _mm512_fmadd_pd(
          keep, _mm512_mask_i64gather_pd(_mm512_setzero_pd(), lanes, step, g->t + at, 8), result);
    _mm512_mask_i64scatter_pd(y + at, lanes, step, result, 8);
  }
}

AVX512 INLINE void tile(const int filters, const int vectors, const places *g, ptrdiff_t taps,
                        const tap *restrict list, const group_of_places *at, const double *restrict w,
                        ptrdiff_t filter_step, ptrdiff_t first, double *y) {
  __m512d sum[FILTERS][VECTORS];
  const double *source[VECTORS];
#pragma unroll
  for (int v = 0; v < vectors; v++) source[v] = at[v].source;
#pragma unroll
  for (int f = 0; f < filters; f++)
#pragma unroll
    for (int v = 0; v < vectors; v++) sum[f][v] = _mm512_setzero_pd();
  for (ptrdiff_t k = 0; k < taps; k++) {
    const double *weight = w + list[k].w;
    __m512d x[VECTORS];
#pragma unroll
    for (int v = 0; v < vectors; v++) x[v] = _mm512_loadu_pd(source[v] + list[k].x);
#pragma unroll
    for (int f = 0; f < filters; f++) {
      const __m512d factor = _mm512_set1_pd(weight[f * filter_step]);
#pragma unroll
      for (int v = 0; v < vectors; v++) sum[f][v] = _mm512_fmadd_pd(factor, x[v], sum[f][v]);
    }
  }
#pragma unroll
  for (int f = 0; f < filters; f++)
#pragma unroll
    for (int v = 0; v < vectors; v++)
      finish(g, sum[f][v], g->bias ? g->bias[first + f] : 0,
             (first + f) * g->plane + at[v].target, at[v].lanes, y);
}

AVX512 static void convolve(const places *g, ptrdiff_t taps, const tap *list, ptrdiff_t filters,
                            const double *w, ptrdiff_t filter_step, const double *source, double *y) {
  const ptrdiff_t vectors_in_row = (g->columns + WIDTH - 1) / WIDTH;
  const ptrdiff_t count = g->rows * vectors_in_row;
  // Filters outside: their weights stay in the first cache while the image goes by.
  for (ptrdiff_t first = 0, block; first < filters; first += block) {
    const ptrdiff_t left = filters - first;
    block = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    const double *weight = w + first * filter_step;
    for (ptrdiff_t i = 0, vectors; i < count; i += vectors) {
      vectors = count - i < VECTORS ? count - i : VECTORS;
      group_of_places at[VECTORS];
      for (ptrdiff_t v = 0; v < vectors; v++) {
        const ptrdiff_t row = (i + v) / vectors_in_row, q = (i + v) % vectors_in_row * WIDTH;
        const ptrdiff_t lanes = g->columns - q < WIDTH ? g->columns - q : WIDTH;
        at[v] = (group_of_places){source + row * g->source_row + q, row * g->row + q * g->column,
                                  (__mmask8)((1 << lanes) - 1)};
      }
#define TILE(F, V) tile(F, V, g, taps, list, at, weight, filter_step, first, y)
#define TILES(F) \
  if (vectors == 2) TILE(F, 2); else TILE(F, 1)
      switch (block) {
        case 8: TILES(8); break;
        case 4: TILES(4); break;
        case 2: TILES(2); break;
        default: TILES(1);
      }
    }
  }
}

// Results that overhang a row of places compute on, so rows of the copy are that much longer.
static ptrdiff_t whole_vectors(ptrdiff_t n) { return (n + WIDTH - 1) / WIDTH * WIDTH; }

void ck_convolve(const ck_window *g, ptrdiff_t channels, ptrdiff_t filters, const double *weight,
                 double alpha, const double *bias, double keep, const double *t,
                 const double *image, double *y) {
  const ptrdiff_t kh = g->kernel_height, kw = g->kernel_width, s = g->stride_width;
  // The copy: (channels, height, s, pitch). A row is dealt out to s rows by column modulo the
  // stride, so that neighbouring places are neighbours there too.
  const ptrdiff_t height = (g->out_height - 1) * g->stride_height + (kh - 1) * g->dilation_height + 1;
  const ptrdiff_t pitch = whole_vectors(g->out_width) + (kw - 1) * g->dilation_width / s;
  const ptrdiff_t size = channels * height * s * pitch, taps = channels * kh * kw;
  double *copy = ck_scratch(size + 2 * taps);
  tap *list = (tap *)(copy + size);
  double *to = copy;
  for (ptrdiff_t c = 0; c < channels; c++)
    for (ptrdiff_t row = 0; row < height; row++)
      for (ptrdiff_t phase = 0; phase < s; phase++, to += pitch) {
        const ptrdiff_t in = row - g->pad_top;
        copy_row(in < 0 || in >= g->height ? 0 : g->width, pitch, s, phase - g->pad_left,
                    image + (c * g->height + in) * g->width, to);
      }
  tap *next = list;
  for (ptrdiff_t c = 0; c < channels; c++)
    for (ptrdiff_t k = 0; k < kh; k++)
      for (ptrdiff_t l = 0; l < kw; l++, next++) {
        const ptrdiff_t shift = l * g->dilation_width;
        next->x = ((c * height + k * g->dilation_height) * s + shift % s) * pitch + shift / s;
        next->w = next - list;
      }
  const places p = {.rows = g->out_height, .columns = g->out_width,
                    .source_row = g->stride_height * s * pitch, .row = g->out_width, .column = 1,
                    .plane = g->out_height * g->out_width, .alpha = alpha, .keep = keep,
                    .bias = bias, .t = t};
  convolve(&p, taps, list, filters, weight, taps, copy, y);
}

void ck_convolve_transposed(const ck_window *g, ptrdiff_t channels, ptrdiff_t filters,
                            const double *weight, double keep, const double *v, double *u) {
  const ptrdiff_t kh = g->kernel_height, kw = g->kernel_width;
  const ptrdiff_t sh = g->stride_height, sw = g->stride_width;
  // Place (p, q) of v reaches image row p sh - top + k dh. So image row i takes from place
  // (i + top - k dh) / sh where that is whole: image rows of one remainder modulo sh take from the
  // same k and from neighbouring places, and so do columns. The copy is (filters, height, pitch).
  const ptrdiff_t reach_h = (kh - 1) * g->dilation_height - g->pad_top;
  const ptrdiff_t reach_w = (kw - 1) * g->dilation_width - g->pad_left;
  const ptrdiff_t above = reach_h > 0 ? (reach_h + sh - 1) / sh : 0;
  const ptrdiff_t before = reach_w > 0 ? (reach_w + sw - 1) / sw : 0;
  const ptrdiff_t height = above + (g->height - 1 + g->pad_top) / sh + 1;
  const ptrdiff_t pitch = before + g->pad_left / sw + 1 + whole_vectors((g->width + sw - 1) / sw);
  const ptrdiff_t size = filters * height * pitch;
  double *copy = ck_scratch(size + 2 * filters * kh * kw);
  tap *list = (tap *)(copy + size);
  double *to = copy;
  for (ptrdiff_t f = 0; f < filters; f++)
    for (ptrdiff_t row = 0; row < height; row++, to += pitch) {
      const ptrdiff_t in = row - above;
      copy_row(in < 0 || in >= g->out_height ? 0 : g->out_width, pitch, 1, -before,
                  v + (f * g->out_height + in) * g->out_width, to);
    }
  for (ptrdiff_t i = 0; i < sh && i < g->height; i++)
    for (ptrdiff_t j = 0; j < sw && j < g->width; j++) {
      tap *next = list;
      for (ptrdiff_t f = 0; f < filters; f++)
        for (ptrdiff_t k = 0; k < kh; k++)
          for (ptrdiff_t l = 0; l < kw; l++) {
            const ptrdiff_t row = i + g->pad_top - k * g->dilation_height;
            const ptrdiff_t column = j + g->pad_left - l * g->dilation_width;
            if (row % sh != 0 || column % sw != 0) continue;
            next->x = (f * height + above + row / sh) * pitch + before + column / sw;
            next->w = (f * channels * kh + k) * kw + l;
            next++;
          }
      const ptrdiff_t from = i * g->width + j;
      const places p = {.rows = (g->height - i + sh - 1) / sh,
                        .columns = (g->width - j + sw - 1) / sw, .source_row = pitch,
                        .row = sh * g->width, .column = sw, .plane = g->height * g->width,
                        .alpha = 1, .keep = keep, .bias = NULL, .t = u + from};
      convolve(&p, next - list, list, channels, weight, kh * kw, copy, u + from);
    }
}
#else
int ck_has_direct_convolution(void) { return 0; }
void ck_convolve(const ck_window *g, ptrdiff_t channels, ptrdiff_t filters, const double *weight,
                 double alpha, const double *bias, double keep, const double *t,
                 const double *image, double *y) {}
void ck_convolve_transposed(const ck_window *g, ptrdiff_t channels, ptrdiff_t filters,
                            const double *weight, double keep, const double *v, double *u) {}
#endif
