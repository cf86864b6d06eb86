/* Matrix products, cut into parts that several cores take; a part of _native.c.
 *
 * One of few columns is done as it lies (_narrow.h), any other is packed (_wide.h). How it is cut decides nothing about
 * the sums: every element has the same bits for any number of threads.
 */

#define NARROW 96 /* columns up to here */
/* Operations from which on a second core pays: for fewer, carrying half of the operands over to its cache costs more than
 * it saves (measured within training steps, where everything else is in the first core's cache). */
#define NARROW_WORTH_SHARING 16e6
#define WIDE_WORTH_SHARING 4e6

#define STEPS_AT_ONCE 1024    /* of the sums: so many are packed at a time, */
#define PACKED_AT_ONCE (1 << 20) /* of so many rows that no more elements than these are */
#define ROWS_A_PART 144       /* about: with DEPTH steps of them in the second nearest cache */
#define STRIPS_A_PART 8       /* packed by one thread at a time */

typedef struct {
    float *c;
    const float *a, *b;
    size_t a_row, a_column, b_row, b_column, m, k, n;
} product;

/* --- Few columns -------------------------------------------------------------------------------------------------------- */

/* A part of a transposed a has to be as tall as a panel of vectors: fewer rows are summed up in another order. */
#define NARROW_ROWS(m) ((((m) + 1) / 2 + 7) / 8 * 8)

static void multiply_narrow(void *context, size_t part) {
    const product *p = context;
    size_t rows = NARROW_ROWS(p->m), start = part * rows, stop = start + rows < p->m ? start + rows : p->m;
    FLUSHING_SUBNORMALS(use->narrow(p->c + start * p->n, p->a + start * p->a_row, p->a_row, p->a_column, p->b, stop - start,
                                    p->k, p->n));
}

/* --- Any other ---------------------------------------------------------------------------------------------------------- */

/* Rows and steps of a product that are done at once, and how they are cut. */
typedef struct {
    const product *whole;
    const wide_loops *loops;
    float *packed;                 /* for every `depth` steps, these of all rows */
    size_t row, rows, step, steps; /* which: the first, and how many */
    size_t padded, depth;          /* rows with those that fill up the last strip; steps packed together */
    size_t rows_a_part, groups;    /* of the product's parts: rows, and groups of columns in a row of parts */
} slab;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t rounded_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }
/* The size of equal pieces of at most `most`, rounded up to whole units. */
static size_t piece(size_t size, size_t most, size_t unit) {
    size_t pieces = (size + most - 1) / most;
    return rounded_up((size + pieces - 1) / pieces, unit);
}

static void pack_part(void *context, size_t part) {
    const slab *s = context;
    const product *p = s->whole;
    size_t blocks = (s->steps + s->depth - 1) / s->depth, step = part % blocks * s->depth;
    size_t start = part / blocks * STRIPS_A_PART * s->loops->tall, stop = start + STRIPS_A_PART * s->loops->tall;
    s->loops->pack_rows(s->packed + step * s->padded, p->a + s->row * p->a_row + (s->step + step) * p->a_column, p->a_row,
                        p->a_column, start, least(stop, s->rows), least(s->depth, s->steps - step));
}

static void multiply_part(void *context, size_t part) {
    const slab *s = context;
    const product *p = s->whole;
    size_t column = part % s->groups * GROUP * s->loops->columns, columns = least(GROUP * s->loops->columns, p->n - column);
    size_t start = part / s->groups * s->rows_a_part, rows = least(s->rows_a_part, s->rows - start);
    float *c = p->c + (s->row + start) * p->n + column;
    for (size_t step = 0; step < s->steps; step += s->depth) {
        size_t depth = least(s->depth, s->steps - step), at = s->step + step;
        const float *a = s->packed + step * s->padded + start * depth;
        FLUSHING_SUBNORMALS(s->loops->multiply(c, p->n, a, p->b + at * p->b_row + column * p->b_column, p->b_row, p->b_column,
                                               rows, depth, columns, at == 0));
    }
}

/* The memory that packed rows lie in: the pool's, whoever has assembled it. */
static struct {
    float *memory;
    size_t size;
} packing;

static float *room_for(size_t size, int members) {
    if (members < 2) return malloc(size * sizeof(float));
    if (packing.size < size) {
        free(packing.memory);
        packing.memory = malloc(size * sizeof(float));
        packing.size = packing.memory == NULL ? 0 : size;
    }
    return packing.memory;
}

/* False where there is no memory to pack rows in. */
static int multiply_wide(const product *p, int members) {
    slab s = {.whole = p, .loops = use->wide};
    size_t tall = s.loops->tall, most_steps = piece(p->k, STEPS_AT_ONCE, 1);
    size_t most_rows = piece(p->m, rounded_up(PACKED_AT_ONCE / most_steps, tall), tall);
    s.packed = room_for(rounded_up(least(most_rows, p->m), tall) * most_steps, members);
    if (s.packed == NULL) return 0;
    s.groups = (p->n + GROUP * s.loops->columns - 1) / (GROUP * s.loops->columns);
    for (s.row = 0; s.row < p->m; s.row += most_rows) {
        s.rows = least(most_rows, p->m - s.row);
        s.padded = rounded_up(s.rows, tall);
        s.rows_a_part = piece(s.rows, ROWS_A_PART, tall);
        for (s.step = 0; s.step < p->k; s.step += most_steps) {
            s.steps = least(most_steps, p->k - s.step);
            s.depth = piece(s.steps, DEPTH, 1);
            size_t blocks = (s.steps + s.depth - 1) / s.depth, strips = s.padded / tall;
            run_parts(members, pack_part, &s, blocks * ((strips + STRIPS_A_PART - 1) / STRIPS_A_PART));
            run_parts(members, multiply_part, &s, s.groups * ((s.rows + s.rows_a_part - 1) / s.rows_a_part));
        }
    }
    if (members < 2) free(s.packed);
    return 1;
}
