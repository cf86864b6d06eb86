/* A loop over a long vector, shared by several cores.
 *
 * The calling thread takes the first slice and each worker one of the others. Workers are started when first needed and
 * sleep in between. There is one team: whoever finds it at work does his loop alone. Where there are no POSIX threads,
 * every loop is done alone.
 */

#define SLICE_AT_LEAST 65536 /* elements a thread: less than this is done sooner than another thread is awake */

typedef void (*loop_part)(void *context, size_t start, size_t stop);

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>

#define MOST_THREADS 64

static struct {
    pthread_mutex_t busy;  /* held by the caller whose loop it is */
    pthread_mutex_t lock;  /* guards everything below */
    pthread_cond_t wake, done;
    loop_part part;
    void *context;
    size_t size, slice;
    unsigned long round;   /* counts loops, so that a worker knows a new one */
    int wanted, missing;   /* workers that this loop needs, and those not done yet */
    int started;
} team = {.busy = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static int threads = 1;

static void *work(void *number) {
    size_t mine = (size_t)(uintptr_t)number;
    unsigned long seen = 0;
    pthread_mutex_lock(&team.lock);
    for (;;) {
        while (team.round == seen || mine > (size_t)team.wanted) {
            seen = team.round;
            pthread_cond_wait(&team.wake, &team.lock);
        }
        seen = team.round;
        loop_part part = team.part;
        void *context = team.context;
        size_t start = mine * team.slice, stop = start + team.slice < team.size ? start + team.slice : team.size;
        pthread_mutex_unlock(&team.lock);
        if (start < stop) part(context, start, stop);
        pthread_mutex_lock(&team.lock);
        if (--team.missing == 0) pthread_cond_signal(&team.done);
    }
    return NULL;
}

/* A forked child has none of its parent's threads, and locks in whatever state they were. */
static void forget_team(void) {
    pthread_mutex_init(&team.busy, NULL);
    pthread_mutex_init(&team.lock, NULL);
    pthread_cond_init(&team.wake, NULL);
    pthread_cond_init(&team.done, NULL);
    team.started = 0;
    team.round = 0;
}

static void share(loop_part part, void *context, size_t size) {
    size_t most = size / SLICE_AT_LEAST, members = most < (size_t)threads ? most : (size_t)threads;
    if (members < 2 || pthread_mutex_trylock(&team.busy) != 0) {
        part(context, 0, size);
        return;
    }
    pthread_mutex_lock(&team.lock);
    while (team.started < (int)members - 1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void *)(uintptr_t)(team.started + 1)) != 0) break;
        pthread_detach(thread);
        team.started++;
    }
    members = (size_t)team.started + 1 < members ? (size_t)team.started + 1 : members;
    team.part = part;
    team.context = context;
    team.size = size;
    team.slice = ((size + members - 1) / members + 63) / 64 * 64; /* whole cache lines, so that none is fought over */
    team.wanted = team.missing = (int)members - 1;
    team.round++;
    size_t own = team.slice < size ? team.slice : size;
    if (team.wanted) pthread_cond_broadcast(&team.wake);
    pthread_mutex_unlock(&team.lock);
    part(context, 0, own);
    pthread_mutex_lock(&team.lock);
    while (team.missing) pthread_cond_wait(&team.done, &team.lock);
    pthread_mutex_unlock(&team.lock);
    pthread_mutex_unlock(&team.busy);
}

static void prepare_threads(void) { pthread_atfork(NULL, NULL, forget_team); }

#else
#define MOST_THREADS 1
static int threads = 1;
static void share(loop_part part, void *context, size_t size) { part(context, 0, size); }
static void prepare_threads(void) {}
#endif
