/* Matrix products, cut into parts that several cores take; a part of _native.c.
 *
 * How a product is cut decides nothing about the sums: every element has the same bits for any number of threads.
 */

#define FEW_COLUMNS 3 /* not worth a vector */
#define FEW_ROWS 8    /* for so few b is not packed: each element is read but once or twice */
/* Operations from which on a second core pays: for fewer, carrying half of the operands over to its cache costs more than
 * it saves (measured within training steps, where everything else is in the first core's cache). With few columns there is
 * much to carry for little work. */
#define WORTH_SHARING(columns) ((columns) < PACKING_PAYS ? 16e6 : 4e6)

#ifndef PACKING_PAYS
#define PACKING_PAYS 96 /* columns from which on a is packed: each element is read once for every strip of columns */
#endif
#define STEPS_AT_ONCE 1024       /* of the sums: so many are packed at a time, */
#define PACKED_AT_ONCE (1 << 20) /* of so many rows that no more elements than these are */
#ifndef ROWS_A_PART
#define ROWS_A_PART 512 /* at most: with DEPTH steps of them in the second nearest cache, or read from the third in time */
#endif
#define PARTS_EACH 4            /* at least, for every thread: one that is held up does fewer */
#define STRIPS_A_PART 8          /* packed by one thread at a time */

typedef struct {
    float *c;
    const float *a, *b;
    size_t a_row, a_column, b_row, b_column, m, k, n;
    const float *bias;    /* added to every row of what is summed up; NULL for none */
    forward_loop forward; /* done to it on its way out; NULL for nothing */
    int whole_rows;       /* at a time, as softmax must */
} product;

/* Rows and steps of a product that are done at once, and how they are cut. */
typedef struct {
    const product *whole;
    const wide_loops *loops;
    float *packed;                 /* for every `depth` steps, these of all rows; NULL where a is read as it lies */
    int b_as_it_lies;
    size_t row, rows, step, steps; /* which: the first, and how many */
    size_t padded, depth;          /* rows with those that fill up the last strip; steps packed together */
    size_t rows_a_part, columns_a_part, groups; /* of the product's parts, and how many of them are side by side */
} slab;

static size_t pieces(size_t size, size_t most) { return (size + most - 1) / most; }
static size_t rounded_up(size_t size, size_t unit) { return pieces(size, unit) * unit; }
/* The size of equal pieces of at most `most`, rounded up to whole units. */
static size_t piece(size_t size, size_t most, size_t unit) { return rounded_up(pieces(size, pieces(size, most)), unit); }

static void pack_part(void *context, size_t part) {
    const slab *s = context;
    const product *p = s->whole;
    size_t blocks = pieces(s->steps, s->depth), step = part % blocks * s->depth;
    size_t start = part / blocks * STRIPS_A_PART * s->loops->tall, stop = start + STRIPS_A_PART * s->loops->tall;
    factor rows = {p->a + (s->row + start) * p->a_row + (s->step + step) * p->a_column, p->a_row, p->a_column, 0};
    size_t depth = least(s->depth, s->steps - step);
    s->loops->pack_rows(s->packed + step * s->padded + start * depth, &rows, least(stop, s->rows) - start, depth);
}

/* Bias and activation of some rows and columns of c, which are in the nearest cache: they have just been summed up. */
static void finish_part(const product *p, size_t row, size_t rows, size_t column, size_t columns) {
    float *c = p->c + row * p->n + column;
    const float *bias = p->bias == NULL ? NULL : p->bias + column;
    if (columns == p->n) {
        p->forward(c, c, bias, rows, columns);
        return;
    }
    for (size_t i = 0; i < rows; i++, c += p->n) p->forward(c, c, bias, 1, columns);
}

static void multiply_part(void *context, size_t part) {
    const slab *s = context;
    const product *p = s->whole;
    size_t column = part % s->groups * s->columns_a_part, columns = least(s->columns_a_part, p->n - column);
    size_t start = part / s->groups * s->rows_a_part, rows = least(s->rows_a_part, s->rows - start);
    float *c = p->c + (s->row + start) * p->n + column;
    for (size_t step = 0; step < s->steps; step += s->depth) {
        size_t depth = least(s->depth, s->steps - step), at = s->step + step;
        factor a = {p->a + (s->row + start) * p->a_row + at * p->a_column, p->a_row, p->a_column, 0};
        if (s->packed != NULL) a = (factor){s->packed + step * s->padded + start * depth, 1, s->loops->tall, 1};
        factor b = {p->b + at * p->b_row + column * p->b_column, p->b_row, p->b_column, s->b_as_it_lies};
        FLUSHING_SUBNORMALS(s->loops->multiply(c, p->n, &a, &b, rows, depth, columns, at == 0));
    }
    if (p->forward != NULL && s->step + s->steps == p->k && (s->groups == 1 || !p->whole_rows))
        FLUSHING_SUBNORMALS(finish_part(p, s->row + start, rows, column, columns));
}

#define ROWS_TO_FINISH 16 /* by one thread at a time */

static void finish_rows(void *context, size_t part) {
    const product *p = context;
    size_t row = part * ROWS_TO_FINISH;
    FLUSHING_SUBNORMALS(finish_part(p, row, least(ROWS_TO_FINISH, p->m - row), 0, p->n));
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

/* Rows a part: as many as possible, as every part packs its columns of b anew, and parts for all. */
static size_t rows_for(const slab *s, int members) {
    size_t tall = s->loops->tall, rows = piece(s->rows, ROWS_A_PART, tall);
    size_t wanted = members < 2 ? 1 : pieces(PARTS_EACH * (size_t)members, s->groups);
    return least(rows, rounded_up(pieces(s->rows, wanted), tall));
}

static void multiply_slab(slab *s, int members) {
    s->padded = rounded_up(s->rows, s->loops->tall);
    s->rows_a_part = rows_for(s, members);
    s->depth = piece(s->steps, DEPTH, 1);
    size_t blocks = pieces(s->steps, s->depth), strips = s->padded / s->loops->tall;
    if (s->packed != NULL) run_parts(members, pack_part, s, blocks * pieces(strips, STRIPS_A_PART));
    run_parts(members, multiply_part, s, s->groups * pieces(s->rows, s->rows_a_part));
}

/* False where there is no memory to pack rows in. */
static int multiply_wide(product *p, int members) {
    slab s = {.whole = p, .loops = use->wide};
    while (p->n < s.loops->lanes && s.loops->narrower != NULL) s.loops = s.loops->narrower;
    int pack = p->n >= PACKING_PAYS;
    size_t tall = s.loops->tall, most_steps = pack ? piece(p->k, STEPS_AT_ONCE, 1) : p->k;
    size_t most_rows = pack ? piece(p->m, rounded_up(PACKED_AT_ONCE / most_steps, tall), tall) : p->m;
    s.packed = pack ? room_for(rounded_up(least(most_rows, p->m), tall) * most_steps, members) : NULL;
    if (pack && s.packed == NULL) return 0;
    s.b_as_it_lies = p->b_column == 1 && p->m <= FEW_ROWS;
    s.columns_a_part = piece(p->n, GROUP * s.loops->lanes, s.loops->lanes);
    s.groups = pieces(p->n, s.columns_a_part);
    for (s.row = 0; s.row < p->m; s.row += most_rows) {
        s.rows = least(most_rows, p->m - s.row);
        for (s.step = 0; s.step < p->k; s.step += most_steps) {
            s.steps = least(most_steps, p->k - s.step);
            multiply_slab(&s, members);
        }
    }
    if (members < 2) free(s.packed);
    if (p->forward != NULL && p->whole_rows && s.groups > 1) run_parts(members, finish_rows, p, pieces(p->m, ROWS_TO_FINISH));
    return 1;
}

/* Does a product with so many threads as have been assembled. False where there is no memory for it. */
static int multiply(product *p, int members) {
    if (p->n > FEW_COLUMNS) return multiply_wide(p, members);
    factor a = {p->a, p->a_row, p->a_column, 0}, b = {p->b, p->b_row, p->b_column, 0};
    FLUSHING_SUBNORMALS(use->wide->few_columns(p->c, &a, &b, p->m, p->k, p->n));
    if (p->forward != NULL) FLUSHING_SUBNORMALS(p->forward(p->c, p->c, p->bias, p->m, p->n));
    return 1;
}

static double operations(const product *p) { return 2.0 * (double)p->m * (double)p->k * (double)p->n; }
static int worth_sharing(const product *p) { return p->n > FEW_COLUMNS && operations(p) >= WORTH_SHARING(p->n); }
