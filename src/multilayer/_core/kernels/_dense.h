/* What stands between Python and the products; a part of _native.c. */

/* The distance in floats from one element to the next along an axis; 0 where it is no whole number above 0. NumPy says
 * anything of an axis of a single element, from which none is next. */
static size_t stride(PyObject *o, int axis) {
    npy_intp bytes = PyArray_STRIDE((PyArrayObject *)o, axis);
    if (bytes > 0 && bytes % (npy_intp)sizeof(float) == 0) return (size_t)bytes / sizeof(float);
    return PyArray_DIM((PyArrayObject *)o, axis) == 1 ? SIZE(o) : 0;
}

static size_t height(PyObject *o) { return (size_t)PyArray_DIM((PyArrayObject *)o, 0); }

/* Whether it is a matrix of floats, or a stack of such, an axis of which is contiguous; and how far apart its elements are.
 * Matrices of a stack may be one and the same. */
static int has_rows_or_columns(PyObject *o, int axes, size_t *next, size_t *row, size_t *column) {
    if (!PyArray_CheckExact(o) || PyArray_TYPE((PyArrayObject *)o) != NPY_FLOAT32 || NDIM(o) != axes || SIZE(o) == 0 ||
        !PyArray_ISBEHAVED_RO((PyArrayObject *)o))
        return 0;
    *row = stride(o, axes - 2);
    *column = stride(o, axes - 1);
    *next = axes == 3 ? stride(o, 0) : 0;
    return (*row == 1 || *column == 1) && *row > 0 && *column > 0 &&
           (axes == 2 || *next > 0 || PyArray_STRIDE((PyArrayObject *)o, 0) == 0);
}

static atomic_int blas_is_faster;

#define LARGE 16e6 /* operations: `products.py` asks from there on, and smaller products have the same bits before and after */

static int left_to_blas(const product *p) { return blas_is_faster && operations(p) >= LARGE; }

/* Whether a stack's products lie apart, one after the other or row beside row: several threads write them at once. */
static int are_side_by_side(const stack *s) {
    const product *p = &s->first;
    return s->count == 1 || s->c_next >= (p->m - 1) * p->c_row + p->n ||
           (s->c_next >= p->n && p->c_row >= (s->count - 1) * s->c_next + p->n);
}

/* Whether products can be written into it: an array of their sides whose rows do not overlap. */
static int takes(PyObject *out, int axes, stack *s) {
    const product *p = &s->first;
    if (axes == 2) return is_output(out) && NDIM(out) == 2 && height(out) == p->m && COLUMNS(out) == p->n;
    size_t column;
    return has_rows_or_columns(out, 3, &s->c_next, &s->first.c_row, &column) && PyArray_ISWRITEABLE((PyArrayObject *)out) &&
           height(out) == s->count && (size_t)PyArray_DIM((PyArrayObject *)out, 1) == p->m && COLUMNS(out) == p->n &&
           column == 1 && p->c_row >= p->n && are_side_by_side(s);
}

/* The products as an array, `out` or a new one. */
static PyObject *done_in(stack *s, int axes, PyObject *out) {
    product *p = &s->first;
    if (out == NULL || axes == 2) p->c_row = p->n, s->c_next = p->m * p->n;
    npy_intp shape[] = {(npy_intp)s->count, (npy_intp)p->m, (npy_intp)p->n};
    PyObject *c = out != NULL ? Py_NewRef(out) : PyArray_SimpleNew(axes, shape + 3 - axes, NPY_FLOAT32);
    if (c == NULL) return NULL;
    p->c = DATA(c);
    PyThreadState *state = (double)s->count * operations(p) >= 1e6 ? PyEval_SaveThread() : NULL;
    multiply_stack(s);
    if (state != NULL) PyEval_RestoreThread(state);
    return c;
}

static PyObject *matmul(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *a = given[0], *b = given[1], *out = given[2];
    stack s = {.count = 1};
    product *p = &s.first;
    int axes = PyArray_CheckExact(a) && NDIM(a) == 3 ? 3 : 2;
    if (!has_rows_or_columns(a, axes, &s.a_next, &p->a_row, &p->a_column) ||
        !has_rows_or_columns(b, axes, &s.b_next, &p->b_row, &p->b_column))
        return UNSUITED;
    if (axes == 3) s.count = height(a);
    p->m = (size_t)PyArray_DIM((PyArrayObject *)a, axes - 2), p->k = COLUMNS(a), p->n = COLUMNS(b);
    if ((size_t)PyArray_DIM((PyArrayObject *)b, axes - 2) != p->k || (axes == 3 && height(b) != s.count) ||
        (out != NULL && (!takes(out, axes, &s) || !APART(1, out, a, b))))
        return UNSUITED;
    if (left_to_blas(p)) return UNSUITED;
    p->a = DATA(a), p->b = DATA(b);
    return done_in(&s, axes, out);
}

/* --- A fully connected layer, forward and back ------------------------------------------------------------------------------ */

#define SOFTMAX_ACTIVATION 4
static const char *activations[] = {"linear", "relu", "sigmoid", "tanh", "softmax"};

/* Which activation is meant, none where it is left out; -1 for one that has no loop. */
static int activation_named(PyObject *name) {
    if (name == NULL) return 0;
    for (int i = 0; PyUnicode_Check(name) && i <= SOFTMAX_ACTIVATION; i++)
        if (PyUnicode_CompareWithASCIIString(name, activations[i]) == 0) return i;
    return -1;
}

static int is_matrix_of(PyObject *o, size_t n, size_t k) {
    return is_floats(o) && NDIM(o) == 2 && height(o) == n && COLUMNS(o) == k && n * k > 0;
}

static PyObject *dense(const kernel *Py_UNUSED(self), PyObject **given) {
    /* x, W, b, activation, out */
    PyObject *x = given[0], *W = given[1], *b = given[2], *out = given[4];
    int activation = activation_named(given[3]);
    stack s = {.count = 1};
    product *p = &s.first;
    int axes = PyArray_CheckExact(x) && NDIM(x) == 3 ? 3 : 2;
    if (activation < 0 || !has_rows_or_columns(x, axes, &s.a_next, &p->a_row, &p->a_column) || !is_floats(W) || NDIM(W) != axes)
        return UNSUITED;
    if (axes == 3) s.count = height(x);
    size_t n = (size_t)PyArray_DIM((PyArrayObject *)x, axes - 2), d = COLUMNS(x), h = COLUMNS(W);
    p->b_row = h, p->b_column = 1, p->m = n, p->k = d, p->n = h, s.b_next = d * h, s.bias_next = h;
    if (n * d * h == 0 || SIZE(W) != s.count * d * h || COLUMNS(x) != (size_t)PyArray_DIM((PyArrayObject *)W, axes - 2) ||
        (b != NULL && !(is_floats(b) && NDIM(b) == axes - 1 && COLUMNS(b) == h && SIZE(b) == s.count * h)) ||
        (out != NULL && !takes(out, axes, &s)) || !APART(1, out, x, W, b))
        return UNSUITED;
    p->a = DATA(x), p->b = DATA(W), p->bias = DATA(b), p->whole_rows = activation == SOFTMAX_ACTIVATION;
    if (activation > 0 || b != NULL) p->forward = use->forward[activation];
    if (left_to_blas(p)) return UNSUITED;
    return done_in(&s, axes, out);
}

/* The gradient of what the activation is applied to, and the bias's: columns of a layer, which several threads may take. */
typedef struct {
    float *da, *db;
    const float *dy, *y;
    backward_loop backward; /* NULL for the identity */
    size_t n, h, columns;   /* columns that one thread does at a time */
} derivation;

#define COLUMNS_TO_DERIVE 64 /* at least: four of the nearest cache's lines a row */

static void derive_columns(void *context, size_t part) {
    const derivation *d = context;
    size_t j = part * d->columns, columns = least(d->columns, d->h - j);
    FLUSHING_SUBNORMALS(d->backward(d->da + j, d->dy + j, d->y + j, d->db == NULL ? NULL : d->db + j, d->n, columns, d->h));
}

static void derive(derivation *d, int members) {
    if (d->backward != NULL) run_parts(members, derive_columns, d, pieces(d->h, d->columns));
    else if (d->db != NULL) FLUSHING_SUBNORMALS(use->sum_rows(d->db, d->dy, d->n, d->h));
}

static PyObject *dense_backward(const kernel *Py_UNUSED(self), PyObject **given) {
    /* dy, y, x, W, activation, da, dW, db, dx */
    PyObject *dy = given[0], *y = given[1], *x = given[2], *W = given[3], *da = given[5], *dW = given[6], *db = given[7],
             *dx = given[8];
    int activation = activation_named(given[4]);
    if (activation < 0 || x == NULL || W == NULL || !is_floats(x) || NDIM(x) != 2 || !is_floats(W) || NDIM(W) != 2)
        return UNSUITED;
    if (activation == 0) y = da = NULL; /* of no use, whatever they are */
    size_t n = height(x), d = COLUMNS(x), h = COLUMNS(W);
    if (n * d * h == 0 || height(W) != d || !is_matrix_of(dy, n, h) ||
        (activation > 0 && !(y != NULL && is_matrix_of(y, n, h) && da != NULL && is_output(da) && is_matrix_of(da, n, h))) ||
        (dW != NULL && !(is_output(dW) && same_shape(dW, W))) || (db != NULL && !(is_output(db) && is_row(db, h))) ||
        (dx != NULL && !(is_output(dx) && same_shape(dx, x))) || !APART(4, da, dW, db, dx, dy, y, x, W))
        return UNSUITED;
    derivation derived = {.da = DATA(da), .db = DATA(db), .dy = DATA(dy), .y = DATA(y), .n = n, .h = h,
                          .backward = activation > 0 ? use->backward[activation - 1] : NULL};
    derived.columns = activation == SOFTMAX_ACTIVATION || n * h < LONG_LOOP ? h : COLUMNS_TO_DERIVE;
    const float *gradient = activation > 0 ? derived.da : derived.dy;
    product weights = {.a = DATA(x), .a_row = 1, .a_column = d, .b = gradient, .b_row = h, .b_column = 1, .m = d, .k = n, .n = h,
                       .c = DATA(dW), .c_row = h};
    product inputs = {.a = gradient, .a_row = h, .a_column = 1, .b = DATA(W), .b_row = 1, .b_column = h, .m = n, .k = h, .n = d,
                      .c = DATA(dx), .c_row = d};
    if (left_to_blas(&weights)) return UNSUITED;
    PyThreadState *state = operations(&weights) >= 1e6 ? PyEval_SaveThread() : NULL;
    int members = assemble_for(&weights);
    derive(&derived, members);
    if (dW != NULL) multiply(&weights, members);
    if (dx != NULL) multiply(&inputs, members);
    dismiss(members);
    if (state != NULL) PyEval_RestoreThread(state);
    return Py_NewRef(dx != NULL ? dx : Py_None);
}
