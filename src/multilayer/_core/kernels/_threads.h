/* Work for several cores: first, a loop over a long vector, shared among them.
 *
 * The calling thread and the workers take part after part. Workers are started when first needed and sleep in between.
 * There is one team: whoever finds it at work does his loop alone. Where there are no POSIX threads, all loops are.
 */

#define SLICE_AT_LEAST 65536 /* elements a thread: less than this is done sooner than another thread is awake */
#define PART 16384           /* elements taken at a time */

typedef void (*loop_part)(void *context, size_t start, size_t stop);

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sched.h>

#define MOST_THREADS 64

static struct {
    pthread_mutex_t busy;  /* held by the caller whose loop it is */
    pthread_mutex_t lock;  /* guards everything below but `next` */
    pthread_cond_t wake, done;
    loop_part part;
    void *context;
    size_t size;
    atomic_size_t next;    /* where the part begins that nobody has taken yet */
    unsigned long round;   /* counts loops, so that a worker knows a new one */
    int wanted, missing;   /* workers that this loop needs, and those not done yet */
    int started;
} team = {.busy = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static atomic_int threads = 1;

/* Does part after part until none is left: whoever is held up, by another thread that spins on its core, does fewer. */
static void take_part(loop_part part, void *context, size_t size) {
    for (;;) {
        size_t start = atomic_fetch_add(&team.next, PART), stop = start + PART < size ? start + PART : size;
        if (start >= size) return;
        part(context, start, stop);
    }
}

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
        size_t size = team.size;
        pthread_mutex_unlock(&team.lock);
        take_part(part, context, size);
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
    size_t most = size / SLICE_AT_LEAST, allowed = (size_t)atomic_load(&threads), members = most < allowed ? most : allowed;
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
    atomic_store(&team.next, 0);
    team.wanted = team.missing = (int)members - 1;
    team.round++;
    if (team.wanted) pthread_cond_broadcast(&team.wake);
    pthread_mutex_unlock(&team.lock);
    take_part(part, context, size);
    pthread_mutex_lock(&team.lock);
    while (team.missing) pthread_cond_wait(&team.done, &team.lock);
    pthread_mutex_unlock(&team.lock);
    pthread_mutex_unlock(&team.busy);
}

/* --- A job that another thread does while this one goes on ----------------------------------------------------------
 *
 * Waking a thread costs as much as a small job does, so the helper watches for its next job a while before it falls
 * asleep, letting others run meanwhile. A job that it has not begun when the result is wanted is done by whoever wants
 * it: on a busy machine nobody waits for the helper's turn.
 */

#define WATCHES 20000 /* looks before falling asleep: about a millisecond */

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() ((void)0)
#endif

typedef struct job {
    void (*run)(struct job *);
} job;

/* What the helper has to do is one word, so that at no moment, such as that of a fork, a job is neither to be done nor
 * being done nor done: a job's address, that address and BEGUN, or 0. A job's memory is its owner's, who waits in
 * `finish` until its address has left: the helper does not touch it afterwards. */
#define BEGUN 1

static struct {
    atomic_uintptr_t slot;
    atomic_int asleep, started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
} helper = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void *help(void *nothing) {
    for (int looks = 0;; looks++) {
        uintptr_t found = atomic_load(&helper.slot);
        if (found != 0 && atomic_compare_exchange_strong(&helper.slot, &found, found | BEGUN)) {
            job *mine = (job *)found;
            mine->run(mine);
            atomic_store(&helper.slot, 0);
            looks = 0;
        } else if (looks < WATCHES) {
            PAUSE();
            if (looks % 16 == 15) sched_yield();
        } else {
            pthread_mutex_lock(&helper.lock);
            atomic_store(&helper.asleep, 1);
            while (atomic_load(&helper.slot) == 0) pthread_cond_wait(&helper.wake, &helper.lock);
            atomic_store(&helper.asleep, 0);
            pthread_mutex_unlock(&helper.lock);
            looks = 0;
        }
    }
    return nothing;
}

/* Starts the helper where it is missing; two threads that find it so start one. */
static int is_helped(void) {
    if (atomic_load(&helper.started)) return 1;
    pthread_mutex_lock(&helper.lock);
    pthread_t thread;
    if (!atomic_load(&helper.started) && pthread_create(&thread, NULL, help, NULL) == 0) {
        pthread_detach(thread);
        atomic_store(&helper.started, 1);
    }
    pthread_mutex_unlock(&helper.lock);
    return atomic_load(&helper.started);
}

/* Hands a job over. False where nobody can take it. */
static int begin(job *mine) {
    uintptr_t nothing = 0;
    if (!is_helped() || !atomic_compare_exchange_strong(&helper.slot, &nothing, (uintptr_t)mine)) return 0;
    if (atomic_load(&helper.asleep)) {
        pthread_mutex_lock(&helper.lock);
        pthread_cond_signal(&helper.wake);
        pthread_mutex_unlock(&helper.lock);
    }
    return 1;
}

/* Returns when a job that was handed over is done. */
static void finish(job *mine) {
    uintptr_t expected = (uintptr_t)mine;
    if (atomic_compare_exchange_strong(&helper.slot, &expected, 0)) {
        mine->run(mine);
        return;
    }
    for (int looks = 0; atomic_load(&helper.slot) == ((uintptr_t)mine | BEGUN); looks++) {
        PAUSE();
        if (looks % 64 == 63) sched_yield();
    }
}

/* A forked child does anew what the parent's helper was at, or had still to do: the thread that handed it over may be the
 * one that waits for it, or one of those that are gone, whose memory is not to be looked at later. */
static void forget_threads(void) {
    job *left = (job *)(atomic_exchange(&helper.slot, 0) & ~(uintptr_t)BEGUN);
    if (left != NULL) left->run(left);
    forget_team();
    pthread_mutex_init(&helper.lock, NULL);
    pthread_cond_init(&helper.wake, NULL);
    atomic_store(&helper.asleep, 0);
    atomic_store(&helper.started, 0);
}

static void prepare_threads(void) { pthread_atfork(NULL, NULL, forget_threads); }

#else
#define MOST_THREADS 1
static atomic_int threads = 1;
static void share(loop_part part, void *context, size_t size) { part(context, 0, size); }
typedef struct job {
    void (*run)(struct job *);
} job;
static int begin(job *new) { return new == NULL; }
static void finish(job *mine) { mine->run(mine); }
static void prepare_threads(void) {}
#endif
