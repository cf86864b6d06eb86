/* What stands between Python and the products; a part of _native.c. */

/* The distance in floats from one element to the next along an axis; 0 where it is no whole number above 0. */
static size_t stride(PyObject *o, int axis) {
    npy_intp bytes = PyArray_STRIDE((PyArrayObject *)o, axis);
    return bytes > 0 && bytes % (npy_intp)sizeof(float) == 0 ? (size_t)bytes / sizeof(float) : 0;
}

/* Whether it is a matrix of floats, one of whose axes is contiguous; and how far apart its elements are. */
static int has_rows_or_columns(PyObject *o, size_t *row, size_t *column) {
    if (!PyArray_CheckExact(o) || PyArray_TYPE((PyArrayObject *)o) != NPY_FLOAT32 || NDIM(o) != 2 || SIZE(o) == 0 ||
        !PyArray_ISBEHAVED_RO((PyArrayObject *)o))
        return 0;
    *row = stride(o, 0);
    *column = stride(o, 1);
    return (*row == 1 || *column == 1) && *row > 0 && *column > 0;
}

static PyObject *matmul(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *a = given[0], *b = given[1], *out = given[2];
    product p;
    if (!has_rows_or_columns(a, &p.a_row, &p.a_column) || !has_rows_or_columns(b, &p.b_row, &p.b_column)) return UNSUITED;
    p.m = (size_t)PyArray_DIM((PyArrayObject *)a, 0), p.k = COLUMNS(a), p.n = COLUMNS(b);
    if (p.k != SIZE(b) / p.n ||
        (out != NULL && (!is_output(out) || NDIM(out) != 2 || (size_t)PyArray_DIM((PyArrayObject *)out, 0) != p.m ||
                         COLUMNS(out) != p.n || !APART(1, out, a, b))))
        return UNSUITED;
    npy_intp shape[] = {(npy_intp)p.m, (npy_intp)p.n};
    PyObject *c = out != NULL ? Py_NewRef(out) : PyArray_SimpleNew(2, shape, NPY_FLOAT32);
    if (c == NULL) return NULL;
    p.a = DATA(a), p.b = DATA(b), p.c = DATA(c);
    PyThreadState *state = operations(&p) >= 1e6 ? PyEval_SaveThread() : NULL;
    int members = worth_sharing(&p) ? assemble(MOST_THREADS) : 1, done = multiply(&p, members);
    dismiss(members);
    if (state != NULL) PyEval_RestoreThread(state);
    if (done) return c;
    Py_DECREF(c);
    return UNSUITED;
}
