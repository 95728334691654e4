// A team of threads that shares out one piece of work at a time. Waking a thread through the kernel
// costs as much as a step of a small network, so a thread that has run out of work looks for more
// for a while before it sleeps.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "CKernels.h"

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() ((void)0)
#endif

enum { MOST = 64, SPINS = 20000 };

static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;  // held while a piece of work runs
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static atomic_ulong generation;  // counts pieces of work; changed under `lock`
static atomic_int pending;       // members that have not finished the current piece
static int members;              // threads started, the caller not counted
static unsigned long joined[MOST];  // the generation at which each member started
static int wanted;               // members that take part in the current piece
static ck_work work;
static void *context;

static void *member(void *argument) {
  const int me = (int)(ptrdiff_t)argument;
  unsigned long seen = joined[me];
  for (;;) {
    for (int i = 0; i < SPINS && atomic_load(&generation) == seen; i++) PAUSE();
    if (atomic_load(&generation) == seen) {
      pthread_mutex_lock(&lock);
      while (atomic_load(&generation) == seen) pthread_cond_wait(&more, &lock);
      pthread_mutex_unlock(&lock);
    }
    seen = atomic_load(&generation);
    if (me <= wanted) work(context, me);
    atomic_fetch_sub(&pending, 1);
  }
  return NULL;
}

void ck_team_run(int threads, ck_work w, void *c) {
  // A team at work elsewhere, or nested: this caller does all the shares itself.
  if (threads <= 1 || pthread_mutex_trylock(&owner) != 0) {
    for (int i = 0; i < threads; i++) w(c, i);
    return;
  }
  pthread_mutex_lock(&lock);
  work = w;
  context = c;
  while (members < threads - 1 && members < MOST - 1) {
    pthread_t thread;
    joined[members + 1] = atomic_load(&generation);  // so it takes part in the piece to come
    if (pthread_create(&thread, NULL, member, (void *)(ptrdiff_t)(members + 1)) != 0) break;
    pthread_detach(thread);
    members++;
  }
  const int shares = members + 1 < threads ? members + 1 : threads;
  wanted = shares - 1;
  atomic_store(&pending, members);
  atomic_fetch_add(&generation, 1);
  pthread_cond_broadcast(&more);
  pthread_mutex_unlock(&lock);
  w(c, 0);
  for (int i = shares; i < threads; i++) w(c, i);
  for (int i = 0; atomic_load(&pending) > 0; i++)
    if (i < SPINS) PAUSE();
    else sched_yield();
  pthread_mutex_unlock(&owner);
}
