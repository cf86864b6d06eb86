/* The matrix product c = a b, packed and blocked: what a row of tiles needs lies side by side in the nearest cache.
 *
 * A tile of TALL rows and VECTORS vectors of columns is summed up in registers, over DEPTH steps at a time, in order: with
 * c loaded and stored in between, every element is one chain of sums, whatever part of the product it was computed with.
 * For it a is packed in strips of TALL rows, b in strips of TILE columns, both with what belongs to one step side by side.
 * Element (i, p) of a lies at a[i * a_row + p * a_column], that of b at b[p * b_row + j * b_column], so that either may be
 * transposed. Included once for each kind of processor, with LANES, TALL and VECTORS for as many tiles as there are
 * registers.
 *
 * Source: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
 */

#define TILE_COLUMNS (VECTORS * LANES)
#define UNROLL _Pragma("GCC unroll 16")

typedef float NAME(lanes) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef float NAME(four) __attribute__((vector_size(16), aligned(4), may_alias));

/* c (TALL, TILE_COLUMNS), rows `c_row` apart, plus, or where it is `first` set to, a strip of a times a strip of b. */
static TARGET void NAME(wide_tile)(float *c, size_t c_row, const float *a, const float *b, size_t depth, int first) {
    NAME(lanes) sum[TALL][VECTORS];
    UNROLL for (int i = 0; i < TALL; i++) {
        UNROLL for (int j = 0; j < VECTORS; j++) {
            sum[i][j] = first ? (NAME(lanes)){0} : *(const NAME(lanes) *)(c + (size_t)i * c_row + j * LANES);
        }
    }
    for (size_t p = 0; p < depth; p++, a += TALL, b += TILE_COLUMNS) {
        NAME(lanes) weight[VECTORS];
        UNROLL for (int j = 0; j < VECTORS; j++) weight[j] = *(const NAME(lanes) *)(b + j * LANES);
        UNROLL for (int i = 0; i < TALL; i++) {
            UNROLL for (int j = 0; j < VECTORS; j++) sum[i][j] += a[i] * weight[j];
        }
    }
    UNROLL for (int i = 0; i < TALL; i++) {
        UNROLL for (int j = 0; j < VECTORS; j++) *(NAME(lanes) *)(c + (size_t)i * c_row + j * LANES) = sum[i][j];
    }
}

/* A block of four by four elements, turned over its diagonal. */
static inline __attribute__((always_inline)) TARGET void NAME(turn)(float *to, size_t to_row, const float *from,
                                                                   size_t from_row) {
    NAME(four) r[4], half[4];
    UNROLL for (int i = 0; i < 4; i++) r[i] = *(const NAME(four) *)(from + (size_t)i * from_row);
    for (int i = 0; i < 2; i++) {
        half[2 * i] = (NAME(four)){r[2 * i][0], r[2 * i + 1][0], r[2 * i][1], r[2 * i + 1][1]};
        half[2 * i + 1] = (NAME(four)){r[2 * i][2], r[2 * i + 1][2], r[2 * i][3], r[2 * i + 1][3]};
    }
    for (int i = 0; i < 2; i++) {
        NAME(four) *low = (NAME(four) *)(to + (size_t)(2 * i) * to_row), *high = (NAME(four) *)(to + (size_t)(2 * i + 1) * to_row);
        *low = (NAME(four)){half[i][0], half[i][1], half[2 + i][0], half[2 + i][1]};
        *high = (NAME(four)){half[i][2], half[i][3], half[2 + i][2], half[2 + i][3]};
    }
}

/* Packs a strip of `count` of at most `width` lines of `depth` elements: to[p * width + i] is from[i * line + p * step], and
 * 0 for the lines that are missing. */
static inline __attribute__((always_inline)) TARGET void NAME(pack)(float *to, size_t width, const float *from, size_t line,
                                                                   size_t step, size_t count, size_t depth) {
    if (count < width) memset(to, 0, width * depth * sizeof(float));
    if (line == 1) {
        if (count == width) {
            for (size_t p = 0; p < depth; p++) memcpy(to + p * width, from + p * step, width * sizeof(float));
        } else {
            for (size_t p = 0; p < depth; p++) memcpy(to + p * width, from + p * step, count * sizeof(float));
        }
        return;
    }
    size_t i = 0;
    for (; step == 1 && i + 4 <= count; i += 4) {
        size_t p = 0;
        for (; p + 4 <= depth; p += 4) NAME(turn)(to + p * width + i, width, from + i * line + p, line);
        for (; p < depth; p++) {
            for (size_t l = i; l < i + 4; l++) to[p * width + l] = from[l * line + p];
        }
    }
    for (; i < count; i++) {
        for (size_t p = 0; p < depth; p++) to[p * width + i] = from[i * line + p * step];
    }
}

/* Packs rows of a, from `start` to `stop`, `depth` steps of them: strips one after the other. */
static TARGET void NAME(pack_rows)(float *to, const float *a, size_t a_row, size_t a_column, size_t start, size_t stop,
                                   size_t depth) {
    for (size_t i = start; i < stop; i += TALL)
        NAME(pack)(to + i * depth, TALL, a + i * a_row, a_row, a_column, stop - i < TALL ? stop - i : TALL, depth);
}

/* c (m, n) plus, or where it is `first` set to, a's packed rows times b, for at most GROUP strips of columns. */
static TARGET void NAME(wide)(float *c, size_t c_row, const float *a, const float *b, size_t b_row, size_t b_column, size_t m,
                              size_t depth, size_t n, int first) {
    float strips[GROUP * TILE_COLUMNS * DEPTH] __attribute__((aligned(64))), edge[TALL * TILE_COLUMNS];
    for (size_t j = 0; j < n; j += TILE_COLUMNS)
        NAME(pack)(strips + j * depth, TILE_COLUMNS, b + j * b_column, b_column, b_row,
                   n - j < TILE_COLUMNS ? n - j : TILE_COLUMNS, depth);
    for (size_t j = 0; j < n; j += TILE_COLUMNS) {
        size_t columns = n - j < TILE_COLUMNS ? n - j : TILE_COLUMNS;
        for (size_t i = 0; i < m; i += TALL) {
            size_t rows = m - i < TALL ? m - i : TALL;
            float *tile = c + i * c_row + j;
            if (rows == TALL && columns == TILE_COLUMNS) {
                NAME(wide_tile)(tile, c_row, a + i * depth, strips + j * depth, depth, first);
                continue;
            }
            for (size_t r = 0; r < rows; r++) memcpy(edge + r * TILE_COLUMNS, tile + r * c_row, columns * sizeof(float));
            NAME(wide_tile)(edge, TILE_COLUMNS, a + i * depth, strips + j * depth, depth, first);
            for (size_t r = 0; r < rows; r++) memcpy(tile + r * c_row, edge + r * TILE_COLUMNS, columns * sizeof(float));
        }
    }
}

static const wide_loops NAME(wide_loops) = {NAME(pack_rows), NAME(wide), TALL, TILE_COLUMNS};

#undef TILE_COLUMNS
#undef UNROLL
