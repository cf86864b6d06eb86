/* The loops of each kind of processor, and which of them are in use: plain C, that knows nothing of Python. */

/* The wide product: how it is blocked, and what it is made of. */
#define DEPTH 256 /* steps that are packed at a time */

static inline size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* A factor, or a part of one: element (i, j) lies at first[i * row + j * column], and one of the two distances is 1. */
typedef struct {
    const float *first;
    size_t row, column;
    int ready; /* a is packed; b can be read as it lies */
    const uint32_t *steps; /* of a, where steps of zeros were not packed: for each strip their number, and which there are */
} factor;

typedef struct wide_loops {
    void (*pack_rows)(float *, uint32_t *steps, const factor *, size_t m, size_t depth);
    void (*multiply)(float *c, size_t c_row, const factor *, const factor *, size_t m, size_t depth, size_t columns,
                     size_t vectors, int first); /* a strip of c, which lies in so many vectors */
    void (*few_columns)(float *c, size_t c_row, const factor *, const factor *, size_t m, size_t depth, size_t n);
    size_t tall, lanes, vectors;       /* rows of a tile, floats in a vector, vectors in a strip at most */
    const struct wide_loops *narrower; /* for columns that do not fill one; NULL where there are none */
} wide_loops;

/* Splines are added up in strips of so many columns, and as many of them at once as have no more knots than these: packed, they
 * lie in the nearest cache. */
#define STRIP_OF_SPLINES 32
#define MOST_KNOTS 256

/* Where a number lies among the knots of a spline: part of the way from one packed knot to another. */
typedef struct {
    uint32_t low, high; /* where these begin, in floats */
    float way; /* from 0 to 1 */
} located;

typedef void (*forward_loop)(float *y, const float *x, const float *bias, size_t n, size_t k, size_t width);
typedef void (*backward_loop)(float *dx, const float *dy, const float *y, float *db, size_t n, size_t k, size_t width);
typedef struct {
    forward_loop forward[7]; /* linear, relu, sigmoid, tanh, softmax, selu, mish */
    backward_loop backward[6]; /* relu, sigmoid, tanh, softmax, selu, mish */
    void (*sum_rows)(float *, const float *, size_t, size_t);
    void (*sparse_softmax_cross_entropy)(float *, float *, float *, const float *, const intptr_t *, const float *, float,
                                         size_t, size_t);
    void (*softmax_cross_entropy)(float *, float *, float *, const float *, const float *, const float *, float, size_t,
                                  size_t);
    void (*sigmoid_binary_cross_entropy)(float *, float *, float *, const float *, const float *, const float *, float,
                                         size_t, size_t);
    void (*sgd)(float *, const float *, float, size_t);
    void (*momentum)(float *, const float *, float *, float, float, int, size_t);
    void (*adam)(float *, const float *, float *, float *, float, float, float, float, size_t);
    void (*rmsprop)(float *, const float *, float *, float *, float *, float, float, float, float, size_t);
    void (*amsgrad)(float *, const float *, float *, float *, float *, float, float, float, float, size_t);
    void (*adamax)(float *, const float *, float *, float *, float, float, float, float, size_t);
    void (*nadam)(float *, const float *, float *, float *, const float *, size_t);
    void (*adagrad)(float *, const float *, float *, float, float, size_t);
    void (*adadelta)(float *, const float *, float *, float *, float, float, float, size_t);
    void (*lion)(float *, const float *, float *, float, float, float, size_t);
    void (*sgd_of_doubles)(double *, const double *, double, size_t);
    void (*adam_of_doubles)(double *, const double *, double *, double *, double, double, double, double, size_t);
    void (*batch_norm)(float *, float *, float *, float *, float *, const float *, const float *, const float *, float,
                       size_t, size_t);
    void (*batch_norm_backward)(float *, float *, float *, const float *, const float *, const float *, const float *,
                                size_t, size_t);
    void (*layer_norm)(float *, float *, float *, const float *, const float *, const float *, float, size_t, size_t, int);
    void (*layer_norm_backward)(float *, float *, float *, const float *, const float *, const float *, const float *,
                                size_t, size_t, int);
    void (*flush)(float *, float, size_t);
    void (*bytes_to_floats)(float *, const uint8_t *, size_t);
    void (*rescale)(float *, const float *, float, float, size_t);
    void (*dropout)(float *, float *, const float *, uint64_t, uint64_t, uint32_t, float, size_t);
    size_t (*count_hits)(const float *, const intptr_t *, size_t, size_t);
    int (*all_finite)(const float *, size_t);
    void (*locate_row)(located *, const float *, const float *, const float *, const uint32_t *, size_t);
    void (*splines)(float *y, const float *base, const float *values, size_t h, const located *, size_t at_row, size_t n, size_t d,
                    size_t knots, size_t columns);
    const wide_loops *wide;
} loops;

/* A row's or a column's number, which was looked at before the loop began: another thread may have changed it since, and
 * must not lead outside of the memory. So it is read once, and 0 where it has become too large. */
static inline size_t index_below(size_t stop, const intptr_t *index) {
    size_t i = (size_t) * (const volatile intptr_t *)index;
    return i < stop ? i : 0;
}

#define NAME(f) f##_plain
#define TARGET
#define LANES 4
#if defined(__aarch64__)
#define TALL 8 /* of 32 registers, the sums take 24; elsewhere there are 16 for certain, and they take 12 */
#else
#define TALL 4
#endif
#define NARROWER NULL
#ifdef WITHOUT_VECTORS
#define ADD_TIMES(sum, x, v)                                                                                           \
    do {                                                                                                               \
        for (int l = 0; l < LANES; l++) (sum).lane[l] += (x) * (v).lane[l];                                            \
    } while (0)
#elif defined(__aarch64__)
#include <arm_neon.h>
#define ADD_TIMES(sum, x, v) ((sum) = vfmaq_n_f32(sum, v, x))
#else
#define ADD_TIMES(sum, x, v) ((sum) += (x) * (v))
#endif
#include "_wide.h"
#include "_loops.h"
#undef ADD_TIMES
#undef LANES
#undef TALL
#undef NARROWER
#undef NAME
#undef TARGET
static int always(void) { return 1; }

#ifdef KINDS_OF_X86
#include <immintrin.h>
#define NAME(f) f##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TALL 4
#define NARROWER &wide_loops_plain
#define ADD_TIMES(sum, x, v) ((sum) = _mm256_fmadd_ps(_mm256_set1_ps(x), v, sum))
#include "_wide.h"
#include "_loops.h"
#undef ADD_TIMES
#undef LANES
#undef TALL
#undef NARROWER
#undef NAME
#undef TARGET

#define NAME(f) f##_avx512
#ifdef __clang__
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#else
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))
#endif
#define LANES 16
#define TALL 4 /* eight would be no faster, and fewer steps of eight rows are all 0 */
#define NARROWER &wide_loops_avx2
#define ADD_TIMES(sum, x, v) ((sum) = _mm512_fmadd_ps(_mm512_set1_ps(x), v, sum))
#include "_wide.h"
#include "_loops.h"
#undef ADD_TIMES
#undef LANES
#undef TALL
#undef NARROWER
#undef NAME
#undef TARGET

static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
static int has_avx2(void) { return 0; }
static int has_avx512(void) { return 0; }
#define loops_avx2 loops_plain
#define loops_avx512 loops_plain
#endif

/* Numbers below the normal range count as zero while a loop runs: arithmetic on them takes up to a hundred times as long,
   which depends on the processor. */
#ifdef CONTROL_OF_X86
#include <xmmintrin.h>
#define FLUSHING_SUBNORMALS(work)                                                                                      \
    do {                                                                                                               \
        unsigned int control = _mm_getcsr();                                                                           \
        _mm_setcsr(control | 0x8040);                                                                                  \
        work;                                                                                                          \
        _mm_setcsr(control);                                                                                           \
    } while (0)
#elif defined(CONTROL_OF_ARM)
#define FLUSHING_SUBNORMALS(work)                                                                                      \
    do {                                                                                                               \
        uint64_t control;                                                                                              \
        __asm__ volatile("mrs %0, fpcr" : "=r"(control));                                                              \
        __asm__ volatile("msr fpcr, %0" : : "r"(control | UINT64_C(1) << 24) : "memory");                              \
        work;                                                                                                          \
        __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");                                                  \
    } while (0)
#else
#define FLUSHING_SUBNORMALS(work) work
#endif

static _Atomic(const loops *) use = &loops_plain; /* read where no thread holds Python's lock */
static const struct {
    const char *name;
    const loops *loops;
    int (*supported)(void);
} kinds[] = {{"avx512", &loops_avx512, has_avx512}, {"avx2", &loops_avx2, has_avx2}, {"plain", &loops_plain, always}};
