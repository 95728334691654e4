#include "CDenseSpectrum.h"
#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

static int pair(int n, const double *a, int which, double *value) {
  double *copy = malloc(sizeof(double) * n * n), *z = malloc(sizeof(double) * n);
  double *w = malloc(sizeof(double) * n);
  lapack_int found, support[2];
  memcpy(copy, a, sizeof(double) * n * n);
  int info = LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'L', n, copy, n, 0, 0, which, which, 0,
                            &found, w, z, n, support);
  *value = w[0];
  free(copy);
  free(z);
  free(w);
  return info;
}

int extreme_eigenpairs(int n, const double *a, double *least, double *largest) {
  int info = pair(n, a, 1, least);
  return info ? info : pair(n, a, n, largest);
}
