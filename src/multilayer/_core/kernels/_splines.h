/* What stands between Python and sums of linear splines; a part of _native.c. */

#define LOCATING 60.0          /* operations, which finding a number's place takes as long as */
#define ROWS_TO_LOCATE 64      /* by one thread at a time */
#define ROWS_OF_SPLINES 1024   /* the same: for each part the knots are packed anew */

typedef struct {
    float *y;
    const float *x, *base, *low, *factor, *values;
    const uint32_t *bins; /* of each column */
    located *at;          /* (n, d) */
    size_t n, d, h;
    forward_loop forward; /* NULL for the identity */
} additive;

static void locate_rows(void *context, size_t part) {
    const additive *s = context;
    size_t start = part * ROWS_TO_LOCATE, stop = least(start + ROWS_TO_LOCATE, s->n);
    for (size_t row = start; row < stop; row++)
        use->locate_row(s->at + row * s->d, s->x + row * s->d, s->low, s->factor, s->bins, s->d);
}

/* A strip of some rows: as many of x's columns at a time as have no more knots than can be packed, as `locate_row` has it. */
static void add_up_part(void *context, size_t part) {
    const additive *s = context;
    size_t strips = pieces(s->h, STRIP_OF_SPLINES), column = part % strips * STRIP_OF_SPLINES;
    size_t columns = least(STRIP_OF_SPLINES, s->h - column);
    size_t start = part / strips * ROWS_OF_SPLINES, rows = least(ROWS_OF_SPLINES, s->n - start);
    float *y = s->y + start * s->h + column;
    const float *base = s->base == NULL ? NULL : s->base + start * s->h + column, *values = s->values + column;
    const located *at = s->at + start * s->d;
    for (size_t c = 0, end = 0; c < s->d; c = end, base = y) {
        size_t knots = 0;
        while (end < s->d && knots + s->bins[end] + 1 <= MOST_KNOTS) knots += s->bins[end++] + 1;
        FLUSHING_SUBNORMALS(use->splines(y, base, values, s->h, at + c, s->d, rows, end - c, knots, columns));
        values += knots * s->h;
    }
    if (s->forward != NULL) FLUSHING_SUBNORMALS(s->forward(y, y, NULL, rows, columns, s->h));
}

/* How many bins each column has, of so many in all: in memory of its own, as another thread may write into the array. NULL
 * where they do not add up, a column has too many to be packed, or there is no memory for them. */
static uint32_t *bins_of(PyObject *counts, size_t total) {
    const volatile intptr_t *count = DATA(counts);
    uint32_t *bins = malloc(SIZE(counts) * sizeof(uint32_t));
    size_t sum = 0;
    for (size_t c = 0; bins != NULL && c < SIZE(counts); c++) {
        intptr_t one = count[c];
        if (one < 0 || one >= MOST_KNOTS || (size_t)one > total) sum = total + 1;
        bins[c] = sum > total ? 0 : (uint32_t)one;
        sum += bins[c];
    }
    if (sum == total) return bins;
    free(bins);
    return NULL;
}

static PyObject *linear_splines(const kernel *Py_UNUSED(self), PyObject **given) {
    /* x, low, factor, counts, values, base, activation, out */
    PyObject *x = given[0], *low = given[1], *factor = given[2], *counts = given[3], *values = given[4], *base = given[5],
             *out = given[7];
    int activation = activation_named(given[6]);
    if (!is_matrix(x) || !is_floats(low) || NDIM(low) != 1 || !is_row(factor, SIZE(low)) || !is_array(counts, NPY_INTP) ||
        NDIM(counts) != 1 || SIZE(counts) != COLUMNS(x) || activation < 0 || activation == SOFTMAX_ACTIVATION)
        return UNSUITED;
    additive s = {.x = DATA(x), .low = DATA(low), .factor = DATA(factor), .n = height(x), .d = COLUMNS(x)};
    size_t knots = SIZE(low) + s.d;
    if (!is_matrix(values) || height(values) != knots || knots > INT32_MAX || (base != NULL && !is_matrix_of(base, s.n, COLUMNS(values))) ||
        (out != NULL && !(is_output(out) && is_matrix_of(out, s.n, COLUMNS(values)))) ||
        !APART(1, out, x, low, factor, counts, values, out == base ? NULL : base))
        return UNSUITED;
    s.h = COLUMNS(values), s.values = DATA(values), s.base = DATA(base), s.forward = activation == 0 ? NULL : use->forward[activation];
    npy_intp shape[] = {(npy_intp)s.n, (npy_intp)s.h};
    PyObject *y = out != NULL ? Py_NewRef(out) : PyArray_SimpleNew(2, shape, NPY_FLOAT32);
    uint32_t *bins = bins_of(counts, SIZE(low));
    located *at = malloc(s.n * s.d * sizeof(located));
    s.y = DATA(y), s.bins = bins, s.at = at;
    if (y != NULL && bins != NULL && at != NULL) {
        double operations = (double)s.n * (double)s.d * (LOCATING + 4.0 * (double)s.h);
        PyThreadState *state = operations >= LONG_LOOP ? PyEval_SaveThread() : NULL;
        int members = assemble((size_t)(operations / WORTH_A_THREAD));
        run_parts(members, locate_rows, &s, pieces(s.n, ROWS_TO_LOCATE));
        run_parts(members, add_up_part, &s, pieces(s.n, ROWS_OF_SPLINES) * pieces(s.h, STRIP_OF_SPLINES));
        dismiss(members);
        if (state != NULL) PyEval_RestoreThread(state);
    } else if (y != NULL) { /* the reference computes it, or says what is wrong */
        Py_DECREF(y);
        y = UNSUITED;
    }
    free(bins);
    free(at);
    return y;
}
