#pragma once
#include <stdint.h>

/// CHOLMOD's analysis, factorisation and solution of one system with the symmetric matrix whose lower triangle is given in
/// compressed columns, with its defaults. x holds the right-hand side and then the solution. Returns the number of
/// entries of the factor, negative on failure; the most memory that CHOLMOD had in MB in *megabytes.
int64_t cholmod_system(
    int64_t n, const int64_t *starts, const int64_t *rows, const double *values, double *x, int64_t *megabytes);

/// y <- A x for a matrix in compressed rows, a plain loop.
void plain_product(
    int64_t rows, const int64_t *starts, const int32_t *columns, const double *values,
    const double *x, double *y);

/// The most memory that the process has had resident so far, in MB.
int64_t peak_megabytes(void);
