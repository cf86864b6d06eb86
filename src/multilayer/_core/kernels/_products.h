/* Matrix products, cut into parts that several cores take; a part of _native.c.
 *
 * How a product is cut decides nothing about the sums: every element has the same bits for any number of threads.
 */

#define FEW_COLUMNS 3 /* not worth a vector */
#define FEW_ROWS 8    /* for so few b is not packed: each element is read but a few times */
#define WORTH_A_THREAD 1.2e6 /* operations, for which a core needs some 15 us: for fewer no worker is called */
#define PACKING_PAYS 96 /* columns from which on a is packed: each element is read once for every strip of columns */
_Static_assert(PACKING_PAYS > 3 * 16, "what is packed has several strips: softmax, which takes whole rows, is done at the end");
#define STEPS_AT_ONCE 1024       /* of the sums: so many are packed at a time, */
#define PACKED_AT_ONCE (1 << 20) /* of so many rows that no more elements than these are */
/* At most. Where a is packed, DEPTH steps of them lie in the second nearest cache, or are read from the third in time; where
 * it is not, there are few strips, and parts so long that one core would wait for another's last. */
#define ROWS_A_PART(columns) ((columns) < PACKING_PAYS ? 128 : 512)
/* At least, where a product is cut between rows, too: every part packs its strip of b anew. Where columns are few, cutting
 * between them is worse: threads that go down the same rows would take the caches' lines of c from each other. */
#define ROWS_WORTH_A_PART(columns) ((columns) < PACKING_PAYS ? 16 : 64)
#define STRIPS_A_PART 8       /* of rows, packed by one thread at a time */

typedef struct {
    float *c;
    const float *a, *b;
    size_t c_row, a_row, a_column, b_row, b_column, m, k, n;
    const float *bias;    /* added to every row of what is summed up; NULL for none */
    forward_loop forward; /* done to it on its way out; NULL for nothing */
    int whole_rows;       /* at a time, as softmax must */
} product;

/* Rows and steps of a product that are done at once, and how they are cut. */
typedef struct {
    const product *whole;
    const wide_loops *loops;
    float *packed;                 /* for every `depth` steps, these of all rows; NULL where a is read as it lies */
    uint32_t *listed;              /* for every strip of them, which steps there are; NULL where there are all */
    int b_as_it_lies;
    size_t row, rows, step, steps;      /* which: the first, and how many */
    size_t padded, depth;               /* rows with those that fill up the last strip; steps packed together */
    size_t rows_a_part, vectors, strips; /* a part has so many rows of one of so many strips, as equal as vectors can be cut */
} slab;

static size_t pieces(size_t size, size_t most) { return (size + most - 1) / most; }
static size_t rounded_up(size_t size, size_t unit) { return pieces(size, unit) * unit; }
/* The size of equal pieces of at most `most`, rounded up to whole units. */
static size_t piece(size_t size, size_t most, size_t unit) { return rounded_up(pieces(size, pieces(size, most)), unit); }

/* Where it is said which steps there are of the strip that begins at a row, from a step on: a number more than steps. */
static uint32_t *steps_of(const slab *s, size_t step, size_t row) {
    size_t tall = s->loops->tall, depth = least(s->depth, s->steps - step), before = step + step / s->depth;
    return s->listed + before * (s->padded / tall) + row / tall * (depth + 1);
}

static void pack_part(void *context, size_t part) {
    const slab *s = context;
    const product *p = s->whole;
    size_t blocks = pieces(s->steps, s->depth), step = part % blocks * s->depth;
    size_t start = part / blocks * STRIPS_A_PART * s->loops->tall, stop = start + STRIPS_A_PART * s->loops->tall;
    factor rows = {p->a + (s->row + start) * p->a_row + (s->step + step) * p->a_column, p->a_row, p->a_column, 0, NULL};
    size_t depth = least(s->depth, s->steps - step);
    uint32_t *listed = s->listed == NULL ? NULL : steps_of(s, step, start);
    s->loops->pack_rows(s->packed + step * s->padded + start * depth, listed, &rows, least(stop, s->rows) - start, depth);
}

/* Does to rows of a product what is done on the way out. */
static void let_out(const product *p, float *c, const float *bias, size_t rows, size_t columns) {
    size_t at_once = p->whole_rows && p->c_row != p->n ? 1 : rows; /* softmax knows no rows that lie apart */
    for (size_t row = 0; row < rows; row += at_once, c += at_once * p->c_row)
        FLUSHING_SUBNORMALS(p->forward(c, c, bias, at_once, columns, p->c_row));
}

static void multiply_part(void *context, size_t part) {
    const slab *s = context;
    const product *p = s->whole;
    size_t strip = part % s->strips, first = strip * s->vectors / s->strips, end = (strip + 1) * s->vectors / s->strips;
    size_t column = first * s->loops->lanes, columns = least(end * s->loops->lanes, p->n) - column;
    size_t start = part / s->strips * s->rows_a_part, rows = least(s->rows_a_part, s->rows - start);
    float *c = p->c + (s->row + start) * p->c_row + column;
    for (size_t step = 0; step < s->steps; step += s->depth) {
        size_t depth = least(s->depth, s->steps - step), at = s->step + step;
        factor a = {p->a + (s->row + start) * p->a_row + at * p->a_column, p->a_row, p->a_column, 0, NULL};
        if (s->packed != NULL) a = (factor){s->packed + step * s->padded + start * depth, 1, s->loops->tall, 1, NULL};
        if (s->listed != NULL) a.steps = steps_of(s, step, start);
        factor b = {p->b + at * p->b_row + column * p->b_column, p->b_row, p->b_column, s->b_as_it_lies, NULL};
        FLUSHING_SUBNORMALS(s->loops->multiply(c, p->c_row, &a, &b, rows, depth, columns, end - first, at == 0));
    }
    if (p->forward != NULL && s->step + s->steps == p->k && (s->strips == 1 || !p->whole_rows)) /* still in the cache */
        let_out(p, c, p->bias == NULL ? NULL : p->bias + column, rows, columns);
}

#define ROWS_TO_FINISH 16 /* by one thread at a time */

static void finish_rows(void *context, size_t part) {
    const product *p = context;
    size_t row = part * ROWS_TO_FINISH;
    let_out(p, p->c + row * p->c_row, p->bias, least(ROWS_TO_FINISH, p->m - row), p->n);
}

/* Cuts a slab for so many threads, so that their parts come out even: between rows where there are many, else between
 * vectors of columns. */
static void cut(slab *s, size_t members) {
    size_t tall = s->loops->tall, cuts = pieces(s->rows, ROWS_A_PART(s->whole->n));
    size_t most = s->rows / ROWS_WORTH_A_PART(s->whole->n), even = rounded_up(cuts, members);
    if (even <= most) cuts = even;
    s->rows_a_part = rounded_up(pieces(s->rows, cuts), tall);
    s->strips = pieces(s->vectors, s->loops->vectors);
    if (cuts % members != 0) s->strips = least(rounded_up(s->strips, members), s->vectors);
}

static void multiply_slab(slab *s, int members) {
    s->padded = rounded_up(s->rows, s->loops->tall);
    s->depth = piece(s->steps, DEPTH, 1);
    cut(s, (size_t)members);
    size_t blocks = pieces(s->steps, s->depth), strips = s->padded / s->loops->tall;
    if (s->packed != NULL) run_parts(members, pack_part, s, blocks * pieces(strips, STRIPS_A_PART));
    run_parts(members, multiply_part, s, s->strips * pieces(s->rows, s->rows_a_part));
}

#define STRIPS_LOOKED_AT 2
#define STEPS_LOOKED_AT 8
#define STEPS_PASSED_OVER 5 /* from one that is looked at to the next: a prime, as images have rows of even length */
#define WORTH_LISTING 0.6 /* of the steps, at most, for it to pay that those of zeros are looked for */

/* Whether a step of a strip has something that is not 0. */
static int is_something(const float *step, size_t row, size_t tall) {
    int any = 0;
    for (size_t i = 0; i < tall; i++) any |= step[i * row] != 0.0f;
    return any;
}

/* Whether many steps of a's strips are all 0, by a look at a few. Either way comes to the same bits: a guess is good enough. */
static int has_steps_of_zeros(const product *p, size_t tall) {
    size_t count = 0, looks = 0;
    if (p->m < 2 * STRIPS_LOOKED_AT * tall || p->k < 2 * STEPS_LOOKED_AT) return 0;
    if (p->a_column == 1) { /* some strips, over all steps; the search is slower than by columns, and needs more of c to pay */
        if (p->n < PACKING_PAYS) return 0;
        for (size_t i = 0; i < STRIPS_LOOKED_AT; i++) {
            const float *strip = p->a + (2 * i + 1) * p->m / (2 * STRIPS_LOOKED_AT) / tall * tall * p->a_row;
            for (size_t j = i; j < p->k; j += STEPS_PASSED_OVER, looks++) count += (size_t)is_something(strip + j, p->a_row, tall);
        }
    } else { /* some steps, of all strips */
        for (size_t j = 0; j < STEPS_LOOKED_AT; j++, looks += p->m / tall) {
            const float *step = p->a + (2 * j + 1) * p->k / (2 * STEPS_LOOKED_AT) * p->a_column;
            for (size_t i = 0; i < p->m / tall; i++) count += (size_t)is_something(step + i * tall, 1, tall);
        }
    }
    return (double)count < WORTH_LISTING * (double)looks;
}

/* Whether b has neither infinities nor NaN, which times 0 are NaN: then no step may be left out. */
static int is_finite(const product *p) {
    size_t lines = p->b_column == 1 ? p->k : p->n, length = p->b_column == 1 ? p->n : p->k;
    size_t line = p->b_column == 1 ? p->b_row : p->b_column;
    if (line == length) return use->all_finite(p->b, lines * length);
    for (size_t i = 0; i < lines; i++)
        if (!use->all_finite(p->b + i * line, length)) return 0;
    return 1;
}

static void multiply_wide(product *p, int members) {
    slab s = {.whole = p, .loops = use->wide};
    while (p->n < s.loops->lanes && s.loops->narrower != NULL) s.loops = s.loops->narrower;
    size_t tall = s.loops->tall;
    int sparse = has_steps_of_zeros(p, tall) && is_finite(p), pack = p->n >= PACKING_PAYS || sparse;
    size_t most_steps = pack ? piece(p->k, STEPS_AT_ONCE, 1) : p->k;
    size_t most_rows = pack ? piece(p->m, rounded_up(PACKED_AT_ONCE / most_steps, tall), tall) : p->m;
    size_t padded = rounded_up(least(most_rows, p->m), tall), room = pack ? padded * most_steps : 0;
    size_t lists = sparse ? padded / tall * (most_steps + pieces(most_steps, DEPTH)) : 0; /* each as large as a float */
    if (pack) s.packed = members < 2 ? malloc((room + lists) * sizeof(float)) : memory_of_pool(room + lists);
    if (sparse && s.packed != NULL) s.listed = (uint32_t *)(s.packed + room); /* or a is read as it lies */
    s.b_as_it_lies = p->b_column == 1 && p->m <= FEW_ROWS;
    s.vectors = pieces(p->n, s.loops->lanes);
    for (s.row = 0; s.row < p->m; s.row += most_rows) {
        s.rows = least(most_rows, p->m - s.row);
        for (s.step = 0; s.step < p->k; s.step += most_steps) {
            s.steps = least(most_steps, p->k - s.step);
            multiply_slab(&s, members);
        }
    }
    if (members < 2) free(s.packed);
    if (p->forward != NULL && p->whole_rows && s.strips > 1) run_parts(members, finish_rows, p, pieces(p->m, ROWS_TO_FINISH));
}

/* Does a product with so many threads as have been assembled. */
static void multiply(product *p, int members) {
    if (p->n > FEW_COLUMNS) {
        multiply_wide(p, members);
        return;
    }
    factor a = {p->a, p->a_row, p->a_column, 0, NULL}, b = {p->b, p->b_row, p->b_column, 0, NULL};
    FLUSHING_SUBNORMALS(use->wide->few_columns(p->c, p->c_row, &a, &b, p->m, p->k, p->n));
    if (p->forward != NULL) let_out(p, p->c, p->bias, p->m, p->n);
}

static double operations(const product *p) { return 2.0 * (double)p->m * (double)p->k * (double)p->n; }

/* How many threads do a product, the caller's among them; until `dismiss`, the pool is the caller's. */
static int assemble_for(const product *p) {
    return p->n > FEW_COLUMNS ? assemble((size_t)(operations(p) / WORTH_A_THREAD)) : 1;
}

/* Products of one shape, each of them so far from the one before; a factor that all share is 0 away from itself. */
typedef struct {
    product first;
    size_t count, c_next, a_next, b_next, bias_next;
} stack;

/* Product i of a stack, with so many threads. */
static void multiply_one(const stack *s, size_t i, int members) {
    product p = s->first;
    p.c += i * s->c_next, p.a += i * s->a_next, p.b += i * s->b_next;
    if (p.bias != NULL) p.bias += i * s->bias_next;
    multiply(&p, members);
}

static void multiply_whole(void *context, size_t part) { multiply_one(context, part, 1); }

/* Does all of a stack: products that are worth several threads one after the other, others side by side. */
static void multiply_stack(stack *s) {
    int members = assemble_for(&s->first), side_by_side = members < 2 && s->count > 1;
    if (side_by_side) members = assemble(least(s->count, (size_t)((double)s->count * operations(&s->first) / WORTH_A_THREAD)));
    if (side_by_side) run_parts(members, multiply_whole, s, s->count);
    for (size_t i = 0; i < s->count && !side_by_side; i++) multiply_one(s, i, members);
    dismiss(members);
}
