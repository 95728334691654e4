#pragma once
#include <suitesparse/SuiteSparseQR_C.h>
#include <suitesparse/cholmod.h>

// Without a method for errors and without messages: what goes wrong is told by `status`.
static inline void csuitesparse_start(cholmod_common *common) {
  cholmod_l_start(common);
  common->print = 0;
  common->error_handler = 0;
}

// One ordering, the given one.
static inline void csuitesparse_order_as_given(cholmod_common *common) {
  common->nmethods = 1;
  common->method[0].ordering = CHOLMOD_NATURAL;
  common->postorder = 1;
}
