/* One pool of threads for all work that several cores do.
 *
 * A run is a number of parts. The calling thread and the workers each have a share of them, parts side by side, which they
 * take one after the other: what they write is not in each other's way, and run after run a core finds in its cache what it
 * left there. Whoever is done with his share goes on with what is left of the others', so that somebody who is held up, by
 * another process on its core, does fewer. A worker joins a run while it has seats left, and only those that have joined
 * are waited for: on a busy machine nobody waits for a worker that has not even woken. When all parts are taken, the caller
 * waits awake for a moment and then asleep, which leaves its core to a worker that has lost its own.
 *
 * A job is a single part that a worker does while the caller goes on, once nothing has been shared for a moment; one that no
 * worker has begun when the result is wanted is done by whoever wants it.
 *
 * Workers are started when first needed, watch a while for more to do, as waking them costs as much as a small run, and
 * then sleep. There is one run at a time: who finds the pool at work does all his parts alone. Where there are no POSIX
 * threads, so does everybody.
 */

typedef void (*part_function)(void *context, size_t part);

typedef struct job {
    void (*run)(struct job *);
} job;

static void do_parts(part_function function, void *context, size_t parts) {
    for (size_t part = 0; part < parts; part++) function(context, part);
}

#ifdef POSIX_THREADS
#include <pthread.h>
#include <sched.h>

#define MOST_THREADS 64
#define WATCHES 5000 /* looks for something to do before a worker falls asleep: some tenths of a millisecond */
#define RUNS_FIRST 200 /* looks for a run before a worker begins a job: the job's owner may be about to share a product */
#define PATIENCE 2000 /* looks at what others have not finished before a caller does */

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() ((void)0)
#endif

/* The state of a run is one word, so that joining it is one step: how many workers are at it, how many more may join,
 * and which run it is. */
#define WORKER UINT64_C(1)
#define SEAT (UINT64_C(1) << 8)
#define RUN_NUMBER (UINT64_C(1) << 16)
#define WORKERS(state) ((state) & (SEAT - 1))
#define SEATS(state) ((state) & (RUN_NUMBER - SEAT))

/* What there is to do on the side is one word, too: a job's address, that address and BEGUN, or 0. A job's memory is its
 * owner's, who waits in `finish` until its address has left: no worker touches it afterwards. */
#define BEGUN 1

static struct {
    struct {
        _Alignas(64) atomic_size_t next; /* the part that nobody has taken yet */
        size_t stop;
    } shares[MOST_THREADS]; /* each in a line of the caches of its own */
    pthread_mutex_t busy;   /* held by the caller whose run it is */
    pthread_mutex_t lock; /* to fall asleep, and to be woken */
    pthread_cond_t wake, done;
    atomic_int started, asleep;
    atomic_int awaited; /* callers that sleep until something is done */
    _Atomic uint64_t state;
    part_function function; /* of the run that `state` tells of */
    void *context;
    size_t members; /* for whom there are shares */
    float *memory; /* for whoever has assembled it */
    size_t size;   /* of that, in floats */
    atomic_uintptr_t job;
} pool = {.busy = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static atomic_int threads = 1;

static void look_again(int looks) {
    PAUSE();
    if (looks % 16 == 15) sched_yield();
}

static void share_out(size_t parts, size_t members) {
    pool.members = members;
    for (size_t i = 0; i < members; i++) {
        pool.shares[i].stop = (i + 1) * parts / members;
        atomic_store(&pool.shares[i].next, i * parts / members);
    }
}

static void take_parts(size_t member) {
    for (size_t i = 0, part; i < pool.members; i++) {
        size_t of = (member + i) % pool.members, stop = pool.shares[of].stop;
        while ((part = atomic_fetch_add(&pool.shares[of].next, 1)) < stop) pool.function(pool.context, part);
    }
}

static void tell_callers(void) {
    if (atomic_load(&pool.awaited) == 0) return;
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.done);
    pthread_mutex_unlock(&pool.lock);
}

/* Takes part in a run that this worker has not seen yet. False where there is none. */
static int joined(uint64_t *seen) {
    uint64_t state = atomic_load(&pool.state);
    while (SEATS(state) && state / RUN_NUMBER != *seen) {
        if (!atomic_compare_exchange_weak(&pool.state, &state, state - SEAT + WORKER)) continue;
        *seen = state / RUN_NUMBER;
        take_parts(SEATS(state) / SEAT); /* his seat's number; the caller's is 0 */
        atomic_fetch_sub(&pool.state, WORKER);
        tell_callers();
        return 1;
    }
    return 0;
}

static int did_job(void) {
    uintptr_t found = atomic_load(&pool.job);
    if (found == 0 || found & BEGUN || !atomic_compare_exchange_strong(&pool.job, &found, found | BEGUN)) return 0;
    ((job *)found)->run((job *)found);
    atomic_store(&pool.job, 0);
    tell_callers();
    return 1;
}

static void sleep_until_needed(uint64_t seen) {
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.asleep, 1);
    for (;;) {
        uint64_t state = atomic_load(&pool.state);
        uintptr_t found = atomic_load(&pool.job);
        if ((SEATS(state) && state / RUN_NUMBER != seen) || (found != 0 && !(found & BEGUN))) break;
        pthread_cond_wait(&pool.wake, &pool.lock);
    }
    atomic_fetch_sub(&pool.asleep, 1);
    pthread_mutex_unlock(&pool.lock);
}

static void *work(void *nothing) {
    uint64_t seen = 0;
    for (int looks = 0;; looks++) {
        if (joined(&seen) || (looks >= RUNS_FIRST && did_job())) {
            looks = 0;
        } else if (looks < WATCHES) {
            look_again(looks);
        } else {
            sleep_until_needed(seen);
            looks = 0;
        }
    }
    return nothing;
}

/* Starts so many workers, or those that are missing; what has been started in the end. */
static int start_workers(int wanted) {
    if (atomic_load(&pool.started) < wanted) {
        pthread_mutex_lock(&pool.lock); /* two threads that find one missing start one */
        pthread_t thread;
        while (atomic_load(&pool.started) < wanted && pthread_create(&thread, NULL, work, NULL) == 0) {
            pthread_detach(thread);
            atomic_fetch_add(&pool.started, 1);
        }
        pthread_mutex_unlock(&pool.lock);
    }
    return atomic_load(&pool.started);
}

static void wake_workers(int wanted) {
    if (atomic_load(&pool.asleep) == 0) return;
    pthread_mutex_lock(&pool.lock);
    for (int i = 0; i < wanted; i++) pthread_cond_signal(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
}

/* Whether anybody could take a part: how many threads do so many parts, the caller among them. Until `dismiss`, where it
 * is more than one, the pool is the caller's. */
static int assemble(size_t parts) {
    size_t allowed = (size_t)atomic_load(&threads), members = parts < allowed ? parts : allowed;
    if (members < 2 || pthread_mutex_trylock(&pool.busy) != 0) return 1;
    int started = start_workers((int)members - 1);
    if (started == 0) pthread_mutex_unlock(&pool.busy);
    return started < (int)members - 1 ? started + 1 : (int)members;
}

/* Memory for so many floats, which stays the pool's; NULL where there is none. Until `dismiss`, it is the caller's. */
static float *memory_of_pool(size_t size) {
    if (pool.size < size) {
        free(pool.memory);
        pool.memory = malloc(size * sizeof(float));
        pool.size = pool.memory == NULL ? 0 : size;
    }
    return pool.memory;
}

static void dismiss(int members) {
    if (members > 1) pthread_mutex_unlock(&pool.busy);
}

/* Does all parts, with as many threads as have been assembled. */
static void run_parts(int members, part_function function, void *context, size_t parts) {
    if (members < 2 || parts < 2) {
        do_parts(function, context, parts);
        return;
    }
    pool.function = function;
    pool.context = context;
    int seats = parts < (size_t)members ? (int)parts - 1 : members - 1;
    share_out(parts, (size_t)seats + 1);
    atomic_store(&pool.state, (atomic_load(&pool.state) / RUN_NUMBER + 1) * RUN_NUMBER + (uint64_t)seats * SEAT);
    wake_workers(seats);
    take_parts(0);
    atomic_fetch_and(&pool.state, ~(RUN_NUMBER - SEAT)); /* nobody joins any more */
    for (int looks = 0; looks < PATIENCE; looks++) {
        if (WORKERS(atomic_load(&pool.state)) == 0) return;
        look_again(looks);
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.awaited, 1);
    while (WORKERS(atomic_load(&pool.state))) pthread_cond_wait(&pool.done, &pool.lock);
    atomic_fetch_sub(&pool.awaited, 1);
    pthread_mutex_unlock(&pool.lock);
}

/* Hands a job over. False where nobody can take it. */
static int begin(job *mine) {
    uintptr_t nothing = 0;
    if (atomic_load(&threads) < 2 || start_workers(1) == 0) return 0;
    if (!atomic_compare_exchange_strong(&pool.job, &nothing, (uintptr_t)mine)) return 0;
    if (atomic_load(&pool.asleep) == atomic_load(&pool.started)) wake_workers(1);
    return 1;
}

/* Returns when a job that was handed over is done. */
static void finish(job *mine) {
    uintptr_t expected = (uintptr_t)mine, begun = (uintptr_t)mine | BEGUN;
    if (atomic_compare_exchange_strong(&pool.job, &expected, 0)) {
        mine->run(mine);
        return;
    }
    for (int looks = 0; looks < PATIENCE; looks++) {
        if (atomic_load(&pool.job) != begun) return;
        look_again(looks);
    }
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.awaited, 1);
    while (atomic_load(&pool.job) == begun) pthread_cond_wait(&pool.done, &pool.lock);
    atomic_fetch_sub(&pool.awaited, 1);
    pthread_mutex_unlock(&pool.lock);
}

/* A forked child has none of its parent's threads, and locks in whatever state they were. What job was being done, or had
 * still to be, it does anew: the thread that handed it over may be the one that waits for it, or one of those that are
 * gone, whose memory is not to be looked at later. */
static void forget_threads(void) {
    job *left = (job *)(atomic_exchange(&pool.job, 0) & ~(uintptr_t)BEGUN);
    if (left != NULL) left->run(left);
    pthread_mutex_init(&pool.busy, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_cond_init(&pool.done, NULL);
    pool.memory = NULL; /* not freed: the parent may have been just about to */
    pool.size = 0;
    atomic_store(&pool.started, 0);
    atomic_store(&pool.asleep, 0);
    atomic_store(&pool.awaited, 0);
    atomic_store(&pool.state, 0);
}

static void prepare_threads(void) { pthread_atfork(NULL, NULL, forget_threads); }

#else
#define MOST_THREADS 1
static atomic_int threads = 1;
static int assemble(size_t parts) { return (void)parts, 1; }
static float *memory_of_pool(size_t size) { return malloc(size * sizeof(float)); }
static void dismiss(int members) { (void)members; }
static void run_parts(int members, part_function function, void *context, size_t parts) {
    (void)members;
    do_parts(function, context, parts);
}
static int begin(job *mine) { return mine == NULL; }
static void finish(job *mine) { mine->run(mine); }
static void prepare_threads(void) {}
#endif

/* --- A loop over a long vector ------------------------------------------------------------------------------------------ */

#define SLICE_AT_LEAST 32768 /* elements a thread: less than this is done sooner than another thread is awake */
#define SLICE 8192           /* elements taken at a time */

typedef void (*loop)(void *context, size_t start, size_t stop);

typedef struct {
    loop loop;
    void *context;
    size_t size;
} long_loop;

static void do_slice(void *context, size_t part) {
    const long_loop *l = context;
    size_t start = part * SLICE;
    l->loop(l->context, start, start + SLICE < l->size ? start + SLICE : l->size);
}

static void share(loop loop, void *context, size_t size) {
    int members = assemble(size / SLICE_AT_LEAST);
    if (members < 2) {
        loop(context, 0, size);
        return;
    }
    long_loop shared = {loop, context, size};
    run_parts(members, do_slice, &shared, (size + SLICE - 1) / SLICE);
    dismiss(members);
}
