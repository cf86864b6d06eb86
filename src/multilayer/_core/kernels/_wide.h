/* The matrix product c = a b, packed and blocked: what a tile of c needs lies side by side in the nearest cache.
 *
 * A tile of TALL rows and up to three vectors of columns is summed up in registers, over `depth` steps at a time, in order:
 * as c is loaded and stored in between, every element is one chain of sums, whatever part of the product it was done in.
 *
 *     registers      the tile of c; of b, three vectors; of a, one element at a time, in all lanes
 *     first cache    a strip of b: `depth` steps of a tile's columns, read again for every tile below
 *     second cache   a: `depth` steps of so many rows, read again for every strip of b
 *     third cache    everything
 *
 * Packed, what belongs to one step lies side by side. As it lies, every step of b would be on a page of memory of its own,
 * and rows a power of two apart would drive each other out of the cache. What is read only a few times is not packed.
 *
 * Included once for each kind of processor, with LANES floats in a vector, TALL for as many sums as there are registers, and
 * ADD_TIMES(sum, x, v) for sum += x v, of a number and vectors: rounded once or twice, but everywhere alike, which must not
 * be left to the compiler's taste, as it differs from tile to tile.
 *
 * Sources: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; Van Zee and van de Geijn,
 * "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015.
 */

#define VECTORS 3
#define TILE_COLUMNS (VECTORS * LANES)
#define INSIDE static ALWAYS_INLINE TARGET

VECTOR_TYPE(NAME(lanes), LANES);
VECTOR_TYPE(NAME(four), 4);

/* --- The tile ------------------------------------------------------------------------------------------------------------- */

/* Some columns of b, `row` apart from step to step: where the last vector begins in it, and how many columns of c it gives. */
typedef struct {
    const float *first;
    size_t row, last, columns;
} NAME(strip);

/* Where vector j of `vectors` begins. The last one ends where the columns do, also where it then shares some with the one
 * before: both come to the same sums, and no vector has to be cut. */
INSIDE size_t NAME(begin)(int j, int vectors, size_t last) { return j < vectors - 1 ? (size_t)j * LANES : last; }

/* c (rows, columns), rows `c_row` apart, plus, or where it is `first` set to, rows of a times a strip of b: all steps of it, or,
 * where these are `listed`, some. */
INSIDE void NAME(sum_up)(float *c, size_t c_row, const float *a, size_t a_row, size_t a_column, const NAME(strip) *strip,
                         const int rows, const int vectors, const int listed, const uint32_t *steps, size_t depth, int first) {
    NAME(lanes) sum[TALL][VECTORS];
    const float *b = strip->first;
    size_t row = strip->row, last = strip->last, end = strip->columns - LANES;
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = first ? (NAME(lanes)){0} : *(const NAME(lanes) *)(c + (size_t)i * c_row + NAME(begin)(j, vectors, end));
    }
    for (size_t p = 0; p < depth; p++, a += a_column, b += row) {
        if (listed) b = strip->first + steps[p] * row;
        NAME(lanes) weight[VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) weight[j] = *(const NAME(lanes) *)(b + NAME(begin)(j, vectors, last));
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int j = 0; j < vectors; j++) ADD_TIMES(sum[i][j], a[(size_t)i * a_row], weight[j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < vectors; j++)
            *(NAME(lanes) *)(c + (size_t)i * c_row + NAME(begin)(j, vectors, end)) = sum[i][j];
    }
}

/* The same with numbers that the compiler knows, for packed rows of a, all steps or some, its rows as they lie, and its columns;
 * and for a single row, as there are where the tiles end. */
#define TILE(name, rows, vectors, a_row, a_column, listed)                                                                 \
    static TARGET void NAME(name##_##vectors)(float *c, size_t c_row, const float *a, size_t row, size_t column,           \
                                              const NAME(strip) *b, const uint32_t *steps, size_t depth, int first) {      \
        (void)row, (void)column, (void)steps;                                                                              \
        NAME(sum_up)(c, c_row, a, a_row, a_column, b, rows, vectors, listed, steps, depth, first);                         \
    }
#define TILES(name, rows, a_row, a_column, listed)                                                                         \
    TILE(name, rows, 1, a_row, a_column, listed)                                                                           \
    TILE(name, rows, 2, a_row, a_column, listed)                                                                           \
    TILE(name, rows, 3, a_row, a_column, listed)                                                                           \
    static const NAME(tile) NAME(name)[] = {NULL, NAME(name##_1), NAME(name##_2), NAME(name##_3)};

typedef void (*NAME(tile))(float *, size_t, const float *, size_t, size_t, const NAME(strip) *, const uint32_t *, size_t, int);

TILES(packed, TALL, 1, TALL, 0)
TILES(packed_in_part, TALL, 1, TALL, 1)
TILES(by_rows, TALL, row, 1, 0)
TILES(by_columns, TALL, 1, column, 0)
TILES(single, 1, row, column, 0)
TILES(single_in_part, 1, row, column, 1)

/* --- Packing -------------------------------------------------------------------------------------------------------------- */

/* A block of four by four elements, turned over its diagonal: each of its columns goes to a place of its own, the first first. */
INSIDE void NAME(turn_block)(float *const *to, const float *from, size_t from_row) {
#ifdef WITHOUT_VECTORS
    for (size_t i = 0; i < 16; i++) to[i / 4][i % 4] = from[i % 4 * from_row + i / 4];
#else
    NAME(four) r[4], half[4];
    UNROLL for (int i = 0; i < 4; i++) r[i] = *(const NAME(four) *)(from + (size_t)i * from_row);
    for (int i = 0; i < 2; i++) {
        half[2 * i] = (NAME(four)){r[2 * i][0], r[2 * i + 1][0], r[2 * i][1], r[2 * i + 1][1]};
        half[2 * i + 1] = (NAME(four)){r[2 * i][2], r[2 * i + 1][2], r[2 * i][3], r[2 * i + 1][3]};
    }
    for (int i = 0; i < 2; i++) {
        *(NAME(four) *)to[2 * i] = (NAME(four)){half[i][0], half[i][1], half[2 + i][0], half[2 + i][1]};
        *(NAME(four) *)to[2 * i + 1] = (NAME(four)){half[i][2], half[i][3], half[2 + i][2], half[2 + i][3]};
    }
#endif
}

/* to[p * to_row + i] = from[i * line + p], for so many lines, a multiple of four, of `depth` elements. */
INSIDE void NAME(turn)(float *to, size_t to_row, const float *from, size_t line, size_t lines, size_t depth) {
    for (size_t i = 0; i < lines; i += 4, to += 4, from += 4 * line) {
        size_t p = 0;
        for (float *at = to; p + 4 <= depth; p += 4, at += 4 * to_row)
            NAME(turn_block)((float *const[]){at, at + to_row, at + 2 * to_row, at + 3 * to_row}, from + p, line);
        for (; p < depth; p++) {
            for (size_t l = 0; l < 4; l++) to[p * to_row + l] = from[l * line + p];
        }
    }
}

/* The same for `lines` that are fewer than `width`, element for element; what is missing is 0. */
static void NAME(pad)(float *to, size_t width, const float *from, size_t line, size_t step, size_t lines, size_t depth) {
    for (size_t p = 0; p < depth; p++, to += width, from += step) {
        for (size_t i = 0; i < width; i++) to[i] = i < lines ? from[i * line] : 0.0f;
    }
}

/* Packs four steps of TALL lines whose elements lie side by side, but for those of zeros, after the `count` that there are, and
 * notes which they are; gives the number of all. A step is written in any case, and the next one over it where it is nothing: no
 * branch has to be guessed. */
INSIDE uint32_t NAME(pack_four_of_rows)(float *to, uint32_t *steps, uint32_t count, const float *from, size_t line, uint32_t at) {
    uint64_t any[2] = {0}, bits[2];
    UNROLL for (size_t l = 0; l < TALL; l++) {
        memcpy(bits, from + l * line, sizeof bits);
        any[0] |= bits[0], any[1] |= bits[1];
    }
    if ((any[0] | any[1]) == 0) return count;
    uint32_t each[4];
    memcpy(each, any, sizeof each);
    float *place[4];
    UNROLL for (uint32_t i = 0; i < 4; i++) {
        place[i] = to + count * TALL;
        steps[count] = at + i;
        count += each[i] != 0;
    }
    UNROLL for (size_t l = 0; l < TALL; l += 4) {
        NAME(turn_block)(place, from + l * line, line);
        UNROLL for (int i = 0; i < 4; i++) place[i] += 4;
    }
    return count;
}

/* The same of one step, whose elements lie side by side. */
INSIDE uint32_t NAME(pack_one)(float *to, uint32_t *steps, uint32_t count, const float *step, uint32_t at) {
    uint64_t bits[TALL / 2], any = 0;
    memcpy(bits, step, sizeof bits);
    UNROLL for (int i = 0; i < TALL / 2; i++) any |= bits[i];
    memcpy(to + count * TALL, step, TALL * sizeof(float));
    steps[count] = at;
    return count + (any != 0);
}

/* Packs `depth` steps of a strip, but for those of zeros; says how many there are, and which. */
INSIDE void NAME(pack_in_part)(float *to, uint32_t *steps, const float *from, const factor *a, size_t lines, size_t depth) {
    uint32_t count = 0, p = 0, end = (uint32_t)depth;
    if (lines == TALL && a->column == 1) {
        for (; p + 4 <= end; p += 4) count = NAME(pack_four_of_rows)(to, steps + 1, count, from + p, a->row, p);
    } else if (lines == TALL) {
        for (; p < end; p++) count = NAME(pack_one)(to, steps + 1, count, from + p * a->column, p);
    }
    for (float step[TALL]; p < end; p++) {
        NAME(pad)(step, TALL, from + p * a->column, a->row, a->column, lines, 1);
        count = NAME(pack_one)(to, steps + 1, count, step, p);
    }
    steps[0] = count;
}

/* Packs `depth` steps of m rows of a: strips of TALL rows, one after the other; where it is to be said which steps they are, but
 * for those in which all rows of a strip are 0. */
static TARGET void NAME(pack_rows)(float *to, uint32_t *steps, const factor *a, size_t m, size_t depth) {
    const float *from = a->first;
    if (steps != NULL) {
        for (size_t i = 0; i < m; i += TALL, to += TALL * depth, from += TALL * a->row, steps += 1 + depth)
            NAME(pack_in_part)(to, steps, from, a, least(TALL, m - i), depth);
        return;
    }
    for (; m >= TALL; m -= TALL, to += TALL * depth, from += TALL * a->row) {
        if (a->column == 1) {
            NAME(turn)(to, TALL, from, a->row, TALL, depth);
        } else {
            for (size_t p = 0; p < depth; p++) memcpy(to + p * TALL, from + p * a->column, TALL * sizeof(float));
        }
    }
    if (m > 0) NAME(pad)(to, TALL, from, a->row, a->column, m, depth);
}

/* Packs `depth` steps of so many columns of b, which fill up to as many vectors, in one strip. */
INSIDE void NAME(pack_columns)(float *to, const factor *b, size_t columns, const int vectors, size_t depth) {
    size_t width = (size_t)vectors * LANES, end = columns - LANES;
    if (b->column == 1) {
        for (const float *from = b->first, *stop = to + depth * width; to < stop; to += width, from += b->row) {
            UNROLL for (int j = 0; j < vectors; j++)
                *(NAME(lanes) *)(to + j * LANES) = *(const NAME(lanes) *)(from + NAME(begin)(j, vectors, end));
        }
        return;
    }
    for (int j = 0; j < vectors; j++)
        NAME(turn)(to + j * LANES, width, b->first + NAME(begin)(j, vectors, end) * b->column, b->column, LANES, depth);
}

/* A strip of so many of b's columns: packed, unless it is to be read as it lies. */
static TARGET NAME(strip) NAME(strip_of)(float *room, const factor *b, size_t columns, size_t vectors, size_t depth) {
    if (columns < LANES) {
        NAME(pad)(room, LANES, b->first, b->column, b->row, columns, depth);
        return (NAME(strip)){room, LANES, 0, LANES};
    }
    if (b->ready) return (NAME(strip)){b->first, b->row, columns - LANES, columns};
    if (vectors == 3) NAME(pack_columns)(room, b, columns, 3, depth);
    else if (vectors == 2) NAME(pack_columns)(room, b, columns, 2, depth);
    else NAME(pack_columns)(room, b, columns, 1, depth);
    return (NAME(strip)){room, vectors * LANES, (vectors - 1) * LANES, columns};
}

/* --- Tiles side by side --------------------------------------------------------------------------------------------------- */

/* Rows of a tile of less than one vector: they are summed up in memory of their own. */
static TARGET void NAME(thin)(NAME(tile) tile, float *c, size_t c_row, const float *a, const factor *of, const NAME(strip) *b,
                              const uint32_t *steps, size_t depth, int first, size_t rows, size_t columns) {
    float whole[TALL * LANES];
    if (!first) {
        for (size_t r = 0; r < rows; r++) memcpy(whole + r * LANES, c + r * c_row, columns * sizeof(float));
    }
    tile(whole, LANES, a, of->row, of->column, b, steps, depth, first);
    for (size_t r = 0; r < rows; r++) memcpy(c + r * c_row, whole + r * LANES, columns * sizeof(float));
}

/* A strip of c: all rows of a times a strip of b. */
static TARGET void NAME(down)(float *c, size_t c_row, const factor *a, const NAME(strip) *b, size_t m, size_t depth,
                              size_t columns, size_t vectors, int first) {
    const NAME(tile) *tall = a->steps ? NAME(packed_in_part) : a->ready ? NAME(packed) : a->row == 1 ? NAME(by_columns) : NAME(by_rows);
    NAME(tile) single = (a->steps ? NAME(single_in_part) : NAME(single))[vectors];
    size_t strip = TALL * (a->ready ? depth : a->row), rows, count = depth;
    const float *from = a->first;
    const uint32_t *steps = a->steps;
    for (size_t i = 0; i < m; i += rows, c += rows * c_row) {
        rows = m - i < TALL ? 1 : TALL;
        NAME(tile) tile = rows == TALL ? tall[vectors] : single;
        if (steps != NULL) count = *steps++;
        if (columns < LANES) NAME(thin)(tile, c, c_row, from, a, b, steps, count, first, rows, columns);
        else tile(c, c_row, from, a->row, a->column, b, steps, count, first);
        from += rows == TALL ? strip : a->row;
        if (steps != NULL) steps = rows == TALL ? steps + depth : steps - 1;
    }
}

/* A strip of c (m, columns), of so many vectors, plus, or where it is `first` set to, `depth` steps of a times b. */
static TARGET void NAME(strip_by)(float *c, size_t c_row, const factor *a, const factor *b, size_t m, size_t depth,
                                  size_t columns, size_t vectors, int first) {
    _Alignas(64) float room[TILE_COLUMNS * DEPTH];
    NAME(strip) strip = NAME(strip_of)(room, b, columns, vectors, depth);
    NAME(down)(c, c_row, a, &strip, m, depth, columns, vectors, first);
}

/* All of a product with fewer columns than are worth a vector: sums along a's other side instead. */
static TARGET void NAME(few_columns)(float *c, size_t c_row, const factor *a, const factor *b, size_t m, size_t depth, size_t n) {
    if (a->column != 1 && m >= TILE_COLUMNS) { /* a's columns are contiguous: tiles of c turned over, the last overlapping */
        float tile[TILE_COLUMNS];
        for (size_t start = 0; start < m; start += TILE_COLUMNS) {
            size_t i = least(start, m - TILE_COLUMNS);
            NAME(strip) strip = {a->first + i, a->column, 2 * LANES, TILE_COLUMNS};
            for (size_t j = 0; j < n; j++) {
                NAME(single_3)(tile, 0, b->first + j * b->column, 0, b->row, &strip, NULL, depth, 1);
                for (size_t l = 0; l < TILE_COLUMNS; l++) c[(i + l) * c_row + j] = tile[l];
            }
        }
        return;
    }
    float column[DEPTH];
    for (size_t start = 0; start < depth; start += DEPTH) {
        size_t length = least(DEPTH, depth - start);
        for (size_t j = 0; j < n; j++) {
            for (size_t p = 0; p < length; p++) column[p] = b->first[(start + p) * b->row + j * b->column];
            for (size_t i = 0; i < m; i++) {
                const float *x = a->first + i * a->row + start * a->column;
                float total = 0.0f;
                if (a->column == 1) {
                    _Pragma("omp simd reduction(+ : total)") for (size_t p = 0; p < length; p++) total += x[p] * column[p];
                } else {
                    for (size_t p = 0; p < length; p++) total += x[p * a->column] * column[p];
                }
                c[i * c_row + j] = start == 0 ? total : c[i * c_row + j] + total;
            }
        }
    }
}

static const wide_loops NAME(wide_loops) = {NAME(pack_rows), NAME(strip_by), NAME(few_columns), TALL, LANES, VECTORS, NARROWER};

#undef TILE
#undef TILES
#undef VECTORS
#undef TILE_COLUMNS
#undef INSIDE
