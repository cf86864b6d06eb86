/* The matrix product c = a b for a b of few columns, as in a small layer: there BLAS libraries, made for large squares,
 * leave a third of the processor idle.
 *
 * A tile of ROWS rows and up to three vectors of columns is summed up in registers. Element (i, p) of a lies at
 * a[i * rs + p * cs], so that a may be transposed; b and c are rows of n. Included once for each kind of processor, with
 * LANES floats in a vector and ROWS for as many tiles as there are registers.
 */

typedef float NAME(vector) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define PANEL (3 * LANES)
#define FEW 4      /* columns too few to fill a vector with */
#define BLOCK 1024 /* of those, as many elements are gathered at a time */
#define UNROLL _Pragma("GCC unroll 8")

#define TILE(R, V) TILE_OF(R, V)
#define TILE_NAME(R, V) TILE_NAME_OF(R, V)
#define TILE_NAME_OF(R, V) NAME(tile_##R##_##V)
#define TILE_OF(R, V)                                                                                                     \
    static TARGET void NAME(tile_##R##_##V)(float *c, size_t ldc, const float *a, size_t rs, size_t cs,                \
                                            const float *b, size_t ldb, size_t k, size_t columns) {                    \
        NAME(vector) sum[R][V] = {0};                                                                                  \
        /* In the last rows a whole vector could reach beyond b's memory: these are read from a copy. */              \
        float copy[2 * V * LANES] = {0};                                                                               \
        size_t last = (V * LANES - columns + ldb - 1) / ldb, safe = last < k ? k - last : 0;                           \
        if (last > 0) memcpy(copy, b + safe * ldb, ((k - 1 - safe) * ldb + columns) * sizeof(float));                  \
        for (size_t p = 0; p < k; p++, a += cs) {                                                                      \
            const float *row = p < safe ? b + p * ldb : copy + (p - safe) * ldb;                                       \
            NAME(vector) weight[V];                                                                                    \
            UNROLL for (int j = 0; j < V; j++) weight[j] = *(const NAME(vector) *)(row + LANES * j);                   \
            UNROLL for (int i = 0; i < R; i++) {                                                                       \
                float x = a[(size_t)i * rs];                                                                           \
                UNROLL for (int j = 0; j < V; j++) sum[i][j] += x * weight[j];                                         \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; i < R; i++) memcpy(c + (size_t)i * ldc, &sum[i], columns * sizeof(float));                     \
    }

TILE(ROWS, 1)
TILE(ROWS, 2)
TILE(ROWS, 3)
TILE(1, 1)
TILE(1, 2)
TILE(1, 3)

/* The last one to four columns, which would leave most of a vector empty: products along a's other side instead. */
static TARGET void NAME(few_columns)(float *c, const float *a, size_t rs, size_t cs, const float *b, size_t m, size_t k,
                                     size_t n, size_t few) {
    if (rs == 1 && cs != 1 && m >= PANEL) { /* a's columns are contiguous: vectors of rows, the last of them overlapping */
        float tile[PANEL];
        for (size_t start = 0; start < m; start += PANEL) {
            size_t i = start + PANEL <= m ? start : m - PANEL;
            for (size_t j = 0; j < few; j++) {
                NAME(tile_1_3)(tile, 0, b + j, 0, n, a + i, cs, k, PANEL);
                for (size_t l = 0; l < PANEL; l++) c[(i + l) * n + j] = tile[l];
            }
        }
        return;
    }
    float column[FEW][BLOCK];
    for (size_t start = 0; start < k; start += BLOCK) {
        size_t length = k - start < BLOCK ? k - start : BLOCK;
        for (size_t p = 0; p < length; p++)
            for (size_t j = 0; j < few; j++) column[j][p] = b[(start + p) * n + j];
        for (size_t i = 0; i < m; i++) {
            const float *x = a + i * rs + start * cs;
            for (size_t j = 0; j < few; j++) {
                float total = 0.0f;
                if (cs == 1) {
                    _Pragma("omp simd reduction(+ : total)") for (size_t p = 0; p < length; p++) total += x[p] * column[j][p];
                } else {
                    for (size_t p = 0; p < length; p++) total += x[p * cs] * column[j][p];
                }
                c[i * n + j] = start == 0 ? total : c[i * n + j] + total;
            }
        }
    }
}

static TARGET void NAME(narrow)(float *c, const float *a, size_t rs, size_t cs, const float *b, size_t m, size_t k,
                                size_t n) {
    typedef void (*tile)(float *, size_t, const float *, size_t, size_t, const float *, size_t, size_t, size_t);
    static const tile tall[] = {NULL, TILE_NAME(ROWS, 1), TILE_NAME(ROWS, 2), TILE_NAME(ROWS, 3)};
    static const tile flat[] = {NULL, NAME(tile_1_1), NAME(tile_1_2), NAME(tile_1_3)};
    for (size_t j = 0; j < n; j += PANEL) {
        size_t columns = n - j < PANEL ? n - j : PANEL, rest = columns % LANES;
        size_t few = rest <= FEW && (j > 0 || columns > LANES) ? rest : 0;
        columns -= few;
        size_t vectors = (columns + LANES - 1) / LANES, i = 0;
        if (vectors > 0) {
            for (; i + ROWS <= m; i += ROWS) tall[vectors](c + i * n + j, n, a + i * rs, rs, cs, b + j, n, k, columns);
            for (; i < m; i++) flat[vectors](c + i * n + j, n, a + i * rs, rs, cs, b + j, n, k, columns);
        }
        if (few > 0) NAME(few_columns)(c + j + columns, a, rs, cs, b + j + columns, m, k, n, few);
    }
}

#undef TILE
#undef TILE_OF
#undef TILE_NAME
#undef TILE_NAME_OF
#undef PANEL
#undef FEW
#undef BLOCK
#undef UNROLL
