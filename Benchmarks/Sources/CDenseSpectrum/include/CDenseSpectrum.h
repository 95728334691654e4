/// The least and the largest eigenpair of a symmetric matrix of order n by LAPACK's dsyevr, one call for each.
/// Returns 0 on success.
int extreme_eigenpairs(int n, const double *a, double *least, double *largest);
