// Counts allocations by standing in front of glibc's allocator.
#include "CAllocationCounter.h"

#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long count;
long allocation_count(void) { return atomic_load(&count); }

static void tick(void) { atomic_fetch_add_explicit(&count, 1, memory_order_relaxed); }

void *malloc(size_t n) { tick(); return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { tick(); return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { tick(); return __libc_realloc(p, n); }
void *memalign(size_t a, size_t n) { tick(); return __libc_memalign(a, n); }
void *aligned_alloc(size_t a, size_t n) { tick(); return __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n) {
  tick();
  *p = __libc_memalign(a, n);
  return *p ? 0 : 12;
}
