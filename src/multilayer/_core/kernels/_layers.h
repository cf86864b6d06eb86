/* What stands between Python and the loops of activations, losses and normalization; a part of _native.c. */

/* --- Activations ---------------------------------------------------------------------------------------------------------- */

static PyObject *forward(const kernel *self, PyObject **given) {
    PyObject *x = given[0], *out = given[1], *bias = given[2];
    if (!is_floats(x) || NDIM(x) < 1 || SIZE(x) == 0 || !is_output_like(out, x) ||
        (bias != NULL && !is_row(bias, COLUMNS(x))) || !APART(1, out, bias, out == x ? NULL : x) ||
        (self->which == 0 && bias == NULL)) /* the identity without a bias returns x itself */
        return UNSUITED;
    PyObject *y = out_or_new(out, x);
    if (y == NULL) return NULL;
    size_t k = COLUMNS(x), n = SIZE(x) / k;
    RUN(n * k, use->forward[self->which](DATA(y), DATA(x), DATA(bias), n, k, k));
    return y;
}

static PyObject *backward(const kernel *self, PyObject **given) {
    PyObject *dy = given[0], *y = given[1], *out = given[2], *db = given[3];
    if (!is_floats(dy) || !is_floats(y) || !same_shape(dy, y) || NDIM(y) < 1 || SIZE(y) == 0 ||
        !is_output_like(out, y) || (db != NULL && !(is_row(db, COLUMNS(y)) && is_output(db))) ||
        !APART(2, out, db, dy, y))
        return UNSUITED;
    PyObject *dx = out_or_new(out, y);
    if (dx == NULL) return NULL;
    size_t k = COLUMNS(y), n = SIZE(y) / k;
    RUN(n * k, use->backward[self->which](DATA(dx), DATA(dy), DATA(y), DATA(db), n, k, k));
    return dx;
}

static PyObject *sum_rows(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *x = given[0], *out = given[1];
    if (out == NULL || !is_floats(x) || NDIM(x) < 1 || SIZE(x) == 0 || !is_row(out, COLUMNS(x)) || !is_output(out) ||
        !APART(1, out, x))
        return UNSUITED;
    size_t k = COLUMNS(x), n = SIZE(x) / k;
    RUN(n * k, use->sum_rows(DATA(out), DATA(x), n, k));
    return Py_NewRef(out);
}

/* --- Losses ------------------------------------------------------------------------------------------------------------- */

static PyObject *total(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *x = given[0];
    if (!is_floats(x)) return UNSUITED;
    const float *value = DATA(x);
    size_t size = SIZE(x), i = 0;
    double sum[4] = {0.0}; /* four at once, as each addition waits for the one before */
    for (; i + 4 <= size; i += 4)
        for (int j = 0; j < 4; j++) sum[j] += value[i + j];
    for (; i < size; i++) sum[0] += value[i];
    return PyFloat_FromDouble((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static int in_range(PyObject *indices, size_t stop) {
    const intptr_t *index = DATA(indices);
    size_t size = SIZE(indices), wrong = 0;
    for (size_t i = 0; i < size; i++) wrong |= (size_t)index[i] >= stop;
    return !wrong;
}

enum { SPARSE_SOFTMAX, SOFTMAX, SIGMOID };

static PyObject *cross_entropy(const kernel *self, PyObject **given) {
    PyObject *a = given[0], *target = given[1], *y_hat = given[2], *da = given[3], *losses = given[4], *scale = given[5];
    double factor = 1.0;
    if (!is_floats(a) || NDIM(a) != 2 || SIZE(a) == 0) return UNSUITED;
    size_t k = COLUMNS(a), n = SIZE(a) / k;
    int per_row = scale != NULL && !number(scale, &factor);
    if (!is_output_like(y_hat, a) || !is_output_like(da, a) ||
        (losses != NULL && !(is_output(losses) && is_row(losses, n))) || (per_row && !is_row(scale, n)))
        return UNSUITED;
    if (self->which == SPARSE_SOFTMAX
            ? !is_array(target, NPY_INTP) || NDIM(target) != 1 || SIZE(target) != n || !in_range(target, k)
            : !is_floats(target) || !same_shape(target, a))
        return UNSUITED;
    if (!APART(3, y_hat, da, losses, a, target, per_row ? scale : NULL)) return UNSUITED;
    npy_intp rows = (npy_intp)n;
    losses = losses != NULL ? Py_NewRef(losses) : PyArray_SimpleNew(1, &rows, NPY_FLOAT32);
    y_hat = out_or_new(y_hat, a);
    da = out_or_new(da, a);
    if (losses == NULL || y_hat == NULL || da == NULL) {
        Py_XDECREF(losses);
        Py_XDECREF(y_hat);
        Py_XDECREF(da);
        return NULL;
    }
    const float *scales = per_row ? DATA(scale) : NULL;
    if (self->which == SPARSE_SOFTMAX)
        RUN(n * k, use->sparse_softmax_cross_entropy(DATA(losses), DATA(y_hat), DATA(da), DATA(a), DATA(target), scales,
                                                     (float)factor, n, k));
    else if (self->which == SOFTMAX)
        RUN(n * k, use->softmax_cross_entropy(DATA(losses), DATA(y_hat), DATA(da), DATA(a), DATA(target), scales,
                                              (float)factor, n, k));
    else
        RUN(n * k, use->sigmoid_binary_cross_entropy(DATA(losses), DATA(y_hat), DATA(da), DATA(a), DATA(target), scales,
                                                     (float)factor, n, k));
    /* Not before: a new tuple may set off Python's collector of garbage, and that whatever the caller has written. */
    PyObject *results = PyTuple_Pack(3, losses, y_hat, da);
    Py_DECREF(losses);
    Py_DECREF(y_hat);
    Py_DECREF(da);
    return results;
}

static PyObject *count_hits(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *y = given[0], *labels = given[1];
    if (!is_floats(y) || NDIM(y) != 2 || SIZE(y) == 0 || !is_array(labels, NPY_INTP) || NDIM(labels) != 1 ||
        SIZE(labels) * COLUMNS(y) != SIZE(y) || !in_range(labels, COLUMNS(y)))
        return UNSUITED;
    size_t hits, k = COLUMNS(y);
    RUN(SIZE(y), hits = use->count_hits(DATA(y), DATA(labels), SIZE(labels), k));
    return PyLong_FromSize_t(hits);
}

/* --- Normalization ------------------------------------------------------------------------------------------------------ */

static int is_matrix(PyObject *o) { return is_floats(o) && NDIM(o) == 2 && SIZE(o) > 0; }
static int is_row_or_none(PyObject *o, size_t k) { return o == NULL || is_row(o, k); }

static int is_column(PyObject *o, size_t n) { return is_floats(o) && NDIM(o) == 2 && SIZE(o) == n && COLUMNS(o) == 1; }

static int are_outputs(PyObject *const *arrays, int count) {
    for (int i = 0; i < count; i++)
        if (!is_output(arrays[i])) return 0;
    return 1;
}

static PyObject *batch_norm(const kernel *Py_UNUSED(self), PyObject **given) {
    /* x, gamma, beta, epsilon, y, x_hat, mean, variance, scale */
    PyObject *x = given[0];
    double epsilon;
    if (!is_matrix(x) || !number(given[3], &epsilon) || !are_outputs(given + 4, 5)) return UNSUITED;
    size_t n = (size_t)PyArray_DIM((PyArrayObject *)x, 0), k = COLUMNS(x);
    if (!is_row_or_none(given[1], k) || !is_row_or_none(given[2], k) || !same_shape(given[4], x) ||
        !same_shape(given[5], x) || !is_row(given[6], k) || !is_row(given[7], k) || !is_row(given[8], k) ||
        !APART(5, given[4], given[5], given[6], given[7], given[8], x, given[1], given[2]))
        return UNSUITED;
    RUN(n * k, use->batch_norm(DATA(given[4]), DATA(given[5]), DATA(given[6]), DATA(given[7]), DATA(given[8]), DATA(x),
                               DATA(given[1]), DATA(given[2]), (float)epsilon, n, k));
    return Py_NewRef(given[4]);
}

static PyObject *batch_norm_backward(const kernel *Py_UNUSED(self), PyObject **given) {
    /* dy, x_hat, gamma, scale, dx, dgamma, dbeta */
    PyObject *dy = given[0], *x_hat = given[1];
    if (!is_matrix(dy) || !is_matrix(x_hat) || !same_shape(dy, x_hat) || !are_outputs(given + 4, 3) ||
        !same_shape(given[4], dy))
        return UNSUITED;
    size_t n = (size_t)PyArray_DIM((PyArrayObject *)dy, 0), k = COLUMNS(dy);
    if (!is_row_or_none(given[2], k) || !is_row(given[3], k) || !is_row(given[5], k) || !is_row(given[6], k) ||
        !APART(3, given[4], given[5], given[6], dy, x_hat, given[2], given[3]))
        return UNSUITED;
    RUN(n * k, use->batch_norm_backward(DATA(given[4]), DATA(given[5]), DATA(given[6]), DATA(dy), DATA(x_hat),
                                        DATA(given[2]), DATA(given[3]), n, k));
    return Py_NewRef(given[4]);
}

static PyObject *layer_norm(const kernel *Py_UNUSED(self), PyObject **given) {
    /* x, gamma, beta, epsilon, y, x_hat, scale, centered */
    PyObject *x = given[0];
    double epsilon;
    if (!is_matrix(x) || !number(given[3], &epsilon) || !are_outputs(given + 4, 3) || !PyBool_Check(given[7]))
        return UNSUITED;
    size_t n = (size_t)PyArray_DIM((PyArrayObject *)x, 0), k = COLUMNS(x);
    if (!is_row_or_none(given[1], k) || !is_row_or_none(given[2], k) || !same_shape(given[4], x) ||
        !same_shape(given[5], x) || !is_column(given[6], n) ||
        !APART(3, given[4], given[5], given[6], x, given[1], given[2]))
        return UNSUITED;
    RUN(n * k, use->layer_norm(DATA(given[4]), DATA(given[5]), DATA(given[6]), DATA(x), DATA(given[1]), DATA(given[2]),
                               (float)epsilon, n, k, given[7] == Py_True));
    return Py_NewRef(given[4]);
}

static PyObject *layer_norm_backward(const kernel *Py_UNUSED(self), PyObject **given) {
    /* dy, x_hat, gamma, scale, dx, dgamma, dbeta, centered */
    PyObject *dy = given[0], *x_hat = given[1];
    if (!is_matrix(dy) || !is_matrix(x_hat) || !same_shape(dy, x_hat) || !are_outputs(given + 4, 3) ||
        !same_shape(given[4], dy) || !PyBool_Check(given[7]))
        return UNSUITED;
    size_t n = (size_t)PyArray_DIM((PyArrayObject *)dy, 0), k = COLUMNS(dy);
    if (!is_row_or_none(given[2], k) || !is_column(given[3], n) || !is_row(given[5], k) || !is_row(given[6], k) ||
        !APART(3, given[4], given[5], given[6], dy, x_hat, given[2], given[3]))
        return UNSUITED;
    RUN(n * k, use->layer_norm_backward(DATA(given[4]), DATA(given[5]), DATA(given[6]), DATA(dy), DATA(x_hat),
                                        DATA(given[2]), DATA(given[3]), n, k, given[7] == Py_True));
    return Py_NewRef(given[4]);
}
