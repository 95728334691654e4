#pragma once
#include <libqhull_r/qhull_ra.h>
#include <stdlib.h>

// The cells of a Delaunay triangulation, dimension + 1 points each, or what Qhull has to say against it. Both are the
// caller's to free.
typedef struct {
  int status;
  int count;
  int *cells;
  char *message;
} cqhull_delaunay_result;

// The lower facets of the hull of the points lifted to a paraboloid.
//
// Qt cuts cells with cospherical points into simplices; Qbb scales the last coordinate to the size of the others; Qz
// adds a point at infinity, without which points on one sphere have no hull of full dimension.
static inline cqhull_delaunay_result cqhull_delaunay(int dimension, int count, double *points) {
  cqhull_delaunay_result result = {0, 0, 0, 0};
  char command[] = "qhull d Qt Qbb Qz";
  size_t length = 0;
  int stayed_long = 0, total_long = 0;
  qhT *qh = (qhT *)malloc(sizeof(qhT));
  FILE *errors = open_memstream(&result.message, &length);
  if (!qh || !errors) {
    if (errors) fclose(errors);
    free(qh);
    result.status = qh_ERRmem;
    return result;
  }
  qh_zero(qh, errors);
  result.status = qh_new_qhull(qh, dimension, count, points, False, command, NULL, errors);
  if (result.status == qh_ERRnone) {
    facetT *facet;
    vertexT *vertex, **vertexp;
    int place = 0;
    FORALLfacets {
      if (!facet->upperdelaunay) result.count++;
    }
    result.cells = (int *)malloc(((size_t)result.count * (dimension + 1) + 1) * sizeof(int));
    if (!result.cells) result.status = qh_ERRmem;
    FORALLfacets {
      if (facet->upperdelaunay || !result.cells) continue;
      if (qh_setsize(qh, facet->vertices) != dimension + 1) {
        result.status = qh_ERRqhull;
        break;
      }
      FOREACHvertex_(facet->vertices) result.cells[place++] = qh_pointid(qh, vertex->point);
    }
  }
  qh_freeqhull(qh, !qh_ALL);
  qh_memfreeshort(qh, &stayed_long, &total_long);
  fclose(errors);
  free(qh);
  return result;
}
