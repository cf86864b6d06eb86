/* The matrix product c = a b, packed and blocked: what a tile of c needs lies side by side in the nearest cache.
 *
 * A tile of TALL rows and up to three vectors of columns is summed up in registers, over `depth` steps at a time, in order: as
 * c is loaded and stored in between, every element is one chain of sums, whatever part of the product it was computed in.
 *
 *     registers      the tile of c; of b, a vector or two; of a, one element at a time, in all lanes
 *     first cache    a strip of b: `depth` steps of a tile's columns, read again for every tile of a column of tiles
 *     second cache   a: `depth` steps of so many rows, read again for every strip of b
 *     third cache    everything
 *
 * b is always packed in strips, with what belongs to one step side by side: as it lies, every step would be a row of its
 * own, on a page of its own. a is packed in strips of TALL rows where it is read often enough to pay for that.
 *
 * Element (i, p) of a lies at a[i * row + p * column], that of b at b[p * row + j * column], so that either may be
 * transposed. Included once for each kind of processor, with LANES floats in a vector, and TALL for as
 * many sums as there are registers.
 *
 * Sources: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; Van Zee and van de Geijn,
 * "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015.
 */

#define VECTORS 3 /* at most: with a tile's other side, as many as there are registers for */
#define TILE_COLUMNS (VECTORS * LANES)
#define UNROLL _Pragma("GCC unroll 16")
#define INSIDE static inline __attribute__((always_inline)) TARGET

typedef float NAME(lanes) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef float NAME(four) __attribute__((vector_size(16), aligned(4), may_alias));

/* --- The tile ------------------------------------------------------------------------------------------------------------- */

/* c (TALL, vectors * LANES), rows `c_row` apart, plus, or where it is `first` set to, TALL rows of a times a strip of b. */
INSIDE void NAME(sum_up)(float *c, size_t c_row, const float *a, size_t a_row, size_t a_column, const float *b,
                         const int vectors, size_t depth, int first) {
    NAME(lanes) sum[TALL][VECTORS];
    UNROLL for (int i = 0; i < TALL; i++) {
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = first ? (NAME(lanes)){0} : *(const NAME(lanes) *)(c + (size_t)i * c_row + j * LANES);
    }
    for (size_t p = 0; p < depth; p++, a += a_column, b += vectors * LANES) {
        NAME(lanes) weight[VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) weight[j] = *(const NAME(lanes) *)(b + j * LANES);
        UNROLL for (int i = 0; i < TALL; i++) {
            UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += a[(size_t)i * a_row] * weight[j];
        }
    }
    UNROLL for (int i = 0; i < TALL; i++) {
        UNROLL for (int j = 0; j < vectors; j++) *(NAME(lanes) *)(c + (size_t)i * c_row + j * LANES) = sum[i][j];
    }
}

/* The same with distances that the compiler knows: of rows that are packed, of a's rows, and of its columns. */
#define TILE(name, vectors, a_row, a_column)                                                                               \
    static TARGET void NAME(name##_##vectors)(float *c, size_t c_row, const float *a, size_t row, size_t column,           \
                                              const float *b, size_t depth, int first) {                                   \
        (void)row, (void)column;                                                                                           \
        NAME(sum_up)(c, c_row, a, a_row, a_column, b, vectors, depth, first);                                              \
    }
#define TILES(name, a_row, a_column)                                                                                       \
    TILE(name, 1, a_row, a_column)                                                                                         \
    TILE(name, 2, a_row, a_column)                                                                                         \
    TILE(name, 3, a_row, a_column)                                                                                         \
    static const NAME(tile) NAME(name)[] = {NULL, NAME(name##_1), NAME(name##_2), NAME(name##_3)};

typedef void (*NAME(tile))(float *, size_t, const float *, size_t, size_t, const float *, size_t, int);

TILES(packed, 1, TALL)
TILES(by_rows, row, 1)
TILES(by_columns, 1, column)

/* --- Packing -------------------------------------------------------------------------------------------------------------- */

/* A block of four by four elements, turned over its diagonal. */
INSIDE void NAME(turn)(float *to, size_t to_row, const float *from, size_t from_row) {
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
INSIDE void NAME(pack)(float *to, const size_t width, const float *from, size_t line, size_t step, size_t count,
                       size_t depth) {
    if (count < width) memset(to, 0, width * depth * sizeof(float));
    if (line == 1) {
        if (count == width) {
            for (size_t p = 0; p < depth; p++) memcpy(to + p * width, from + p * step, width * sizeof(float));
        } else {
            for (size_t p = 0; p < depth; p++) {
                for (size_t i = 0; i < count; i++) to[p * width + i] = from[p * step + i];
            }
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
static TARGET void NAME(pack_rows)(float *to, const float *a, size_t row, size_t column, size_t start, size_t stop,
                                   size_t depth) {
    for (size_t i = start; i < stop; i += TALL)
        NAME(pack)(to + i * depth, TALL, a + i * row, row, column, stop - i < TALL ? stop - i : TALL, depth);
}

/* How many of the vectors that are left the next strip takes: as a tile of one has too few sums to keep all multipliers
 * busy, four are two and two. */
INSIDE size_t NAME(strip)(size_t columns) {
    size_t vectors = (columns + LANES - 1) / LANES;
    return vectors == 4 ? 2 : vectors < 3 ? vectors : 3;
}

/* Packs a strip of so many vectors of columns of b: `count` columns, the rest zeros. */
INSIDE void NAME(pack_strip)(float *to, size_t vectors, const float *b, size_t row, size_t column, size_t count, size_t depth) {
    if (vectors == 3) NAME(pack)(to, 3 * LANES, b, column, row, count, depth);
    else if (vectors == 2) NAME(pack)(to, 2 * LANES, b, column, row, count, depth);
    else NAME(pack)(to, LANES, b, column, row, count, depth);
}

/* --- Tiles side by side --------------------------------------------------------------------------------------------------- */

/* A tile that c ends within: it is summed up in memory of its own. */
static TARGET void NAME(edge)(NAME(tile) tile, float *c, size_t c_row, const float *a, size_t row, size_t column, const float *b,
                              size_t depth, int first, size_t rows, size_t columns) {
    float whole[TALL * TILE_COLUMNS];
    if (!first) {
        for (size_t r = 0; r < rows; r++) memcpy(whole + r * TILE_COLUMNS, c + r * c_row, columns * sizeof(float));
    }
    tile(whole, TILE_COLUMNS, a, row, column, b, depth, first);
    for (size_t r = 0; r < rows; r++) memcpy(c + r * c_row, whole + r * TILE_COLUMNS, columns * sizeof(float));
}

/* A strip of c's columns, rows of a times a strip of b. The rows that are left over lie packed in `last`. */
static TARGET void NAME(column)(float *c, size_t c_row, const factor *a, const float *last, const float *b, size_t m,
                                size_t depth, size_t columns, size_t vectors, int first) {
    NAME(tile) tile = a->packed ? NAME(packed)[vectors] : a->row == 1 ? NAME(by_columns)[vectors] : NAME(by_rows)[vectors];
    size_t step = a->packed ? depth : a->row, i = 0;
    for (; i + TALL <= m; i += TALL) {
        const float *from = a->first + i * step;
        if (columns == vectors * LANES) tile(c + i * c_row, c_row, from, a->row, a->column, b, depth, first);
        else NAME(edge)(tile, c + i * c_row, c_row, from, a->row, a->column, b, depth, first, TALL, columns);
    }
    if (i < m) NAME(edge)(NAME(packed)[vectors], c + i * c_row, c_row, last, 1, TALL, b, depth, first, m - i, columns);
}

/* c (m, n) plus, or where it is `first` set to, rows of a times b, for at most GROUP strips of columns. */
static TARGET void NAME(wide)(float *c, size_t c_row, const factor *a, const float *b, size_t b_row, size_t b_column, size_t m,
                              size_t depth, size_t n, int first) {
    float strip[TILE_COLUMNS * DEPTH] __attribute__((aligned(64))), rest[TALL * DEPTH] __attribute__((aligned(64)));
    size_t whole = m / TALL * TALL;
    const float *last = a->first + whole * depth;
    if (!a->packed && whole < m) { /* what lies beyond is not a's */
        NAME(pack_rows)(rest, a->first + whole * a->row, a->row, a->column, 0, m - whole, depth);
        last = rest;
    }
    for (size_t j = 0, vectors; j < n; j += vectors * LANES) {
        vectors = NAME(strip)(n - j);
        size_t columns = n - j < vectors * LANES ? n - j : vectors * LANES;
        NAME(pack_strip)(strip, vectors, b + j * b_column, b_row, b_column, columns, depth);
        NAME(column)(c + j, c_row, a, last, strip, m, depth, columns, vectors, first);
    }
}

static const wide_loops NAME(wide_loops) = {NAME(pack_rows), NAME(wide), TALL, LANES};

#undef TILE
#undef TILES
#undef VECTORS
#undef TILE_COLUMNS
#undef UNROLL
#undef INSIDE
