/* What stands between Python and the loops of optimizers' steps; a part of _native.c. */

/* --- Optimizer steps: one loop over all parameters, shared by the cores where they are many ----------------------------- */

enum rule { SGD, MOMENTUM, ADAM, RMSPROP, AMSGRAD, ADAMAX, NADAM, ADAGRAD, ADADELTA, LION };

typedef struct {
    enum rule rule;
    float *w, *slot[3]; /* slots that the rule goes without are NULL */
    const float *g;
    float number[6];
    int nesterov;
} step;

#define AT(p) ((p) == NULL ? NULL : (p) + start)

static void step_part(void *context, size_t start, size_t stop) {
    const step *s = context;
    const float *x = s->number;
    size_t size = stop - start;
    float *w = s->w + start, *p = AT(s->slot[0]), *q = AT(s->slot[1]), *r = AT(s->slot[2]);
    const float *g = s->g + start;
    switch (s->rule) {
    case SGD: FLUSHING_SUBNORMALS(use->sgd(w, g, x[0], size)); break;
    case MOMENTUM: FLUSHING_SUBNORMALS(use->momentum(w, g, p, x[0], x[1], s->nesterov, size)); break;
    case ADAM: FLUSHING_SUBNORMALS(use->adam(w, g, p, q, x[0], x[1], x[2], x[3], size)); break;
    case RMSPROP: FLUSHING_SUBNORMALS(use->rmsprop(w, g, p, q, r, x[0], x[1], x[2], x[3], size)); break;
    case AMSGRAD: FLUSHING_SUBNORMALS(use->amsgrad(w, g, p, q, r, x[0], x[1], x[2], x[3], size)); break;
    case ADAMAX: FLUSHING_SUBNORMALS(use->adamax(w, g, p, q, x[0], x[1], x[2], x[3], size)); break;
    case NADAM: FLUSHING_SUBNORMALS(use->nadam(w, g, p, q, x, size)); break;
    case ADAGRAD: FLUSHING_SUBNORMALS(use->adagrad(w, g, p, x[0], x[1], size)); break;
    case ADADELTA: FLUSHING_SUBNORMALS(use->adadelta(w, g, p, q, x[0], x[1], x[2], size)); break;
    case LION: FLUSHING_SUBNORMALS(use->lion(w, g, p, x[0], x[1], x[2], size)); break;
    }
}

/* Whether all are vectors of w's length, each in memory of its own. NULL stands for a slot not used. */
static int are_vectors_of(int type, PyObject *const *arrays, int count) {
    for (int i = 0; i < count; i++) {
        if (arrays[i] == NULL) continue;
        if (!is_array(arrays[i], type) || !PyArray_ISWRITEABLE((PyArrayObject *)arrays[i])) return 0;
        if (NDIM(arrays[i]) != 1 || SIZE(arrays[i]) != SIZE(arrays[0])) return 0;
    }
    return are_apart(count, count, arrays);
}
static int are_vectors(PyObject *const *arrays, int count) { return are_vectors_of(NPY_FLOAT32, arrays, count); }

static PyObject *walk_along(loop part, void *s, size_t size) {
    PyThreadState *state = size >= LONG_LOOP ? PyEval_SaveThread() : NULL;
    share(part, s, size);
    if (state != NULL) PyEval_RestoreThread(state);
    Py_RETURN_NONE;
}

static PyObject *take_step(step *s, PyObject *const *arrays, int slots) {
    s->w = DATA(arrays[0]);
    s->g = DATA(arrays[1]);
    for (int i = 0; i < slots; i++) s->slot[i] = DATA(arrays[2 + i]);
    return walk_along(step_part, s, SIZE(arrays[0]));
}

/* The same in double precision, for the two rules that have a loop for it: m is NULL for gradient descent. */
typedef struct {
    double *w, *m, *v;
    const double *g;
    double number[4];
} step_of_doubles;

static void part_of_doubles(void *context, size_t start, size_t stop) {
    const step_of_doubles *s = context;
    const double *x = s->number, *g = s->g + start;
    double *w = s->w + start, *m = AT(s->m), *v = AT(s->v);
    size_t size = stop - start;
    if (m == NULL) { FLUSHING_SUBNORMALS(use->sgd_of_doubles(w, g, x[0], size)); }
    else { FLUSHING_SUBNORMALS(use->adam_of_doubles(w, g, m, v, x[0], x[1], x[2], x[3], size)); }
}

static PyObject *sgd_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, work, learning_rate */
    double rate;
    if (!number(given[3], &rate)) return UNSUITED;
    if (are_vectors_of(NPY_FLOAT64, given, 2)) {
        step_of_doubles s = {.w = DATA(given[0]), .g = DATA(given[1]), .number = {rate}};
        return walk_along(part_of_doubles, &s, SIZE(given[0]));
    }
    if (!are_vectors(given, 2)) return UNSUITED;
    step s = {.rule = SGD, .number = {(float)rate}};
    return take_step(&s, given, 0);
}

static PyObject *momentum_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, m, work, learning_rate, momentum, nesterov */
    double rate, momentum;
    if (!are_vectors(given, 3) || !number(given[4], &rate) ||
        !number(given[5], &momentum) || !PyBool_Check(given[6]))
        return UNSUITED;
    step s = {.rule = MOMENTUM, .number = {(float)rate, (float)momentum}, .nesterov = given[6] == Py_True};
    return take_step(&s, given, 1);
}

static PyObject *adam_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, m, v, work, learning_rate, beta_1, beta_2, epsilon, step */
    double rate, beta_1, beta_2, epsilon, number_of_step;
    if (!number(given[5], &rate) || !number(given[6], &beta_1) || !number(given[7], &beta_2) ||
        !number(given[8], &epsilon) || !number(given[9], &number_of_step))
        return UNSUITED;
    double alpha = rate * sqrt(1.0 - pow(beta_2, number_of_step)) / (1.0 - pow(beta_1, number_of_step));
    if (are_vectors_of(NPY_FLOAT64, given, 4)) {
        step_of_doubles s = {.w = DATA(given[0]), .g = DATA(given[1]), .m = DATA(given[2]), .v = DATA(given[3]),
                             .number = {alpha, 1.0 - beta_1, 1.0 - beta_2, epsilon}};
        return walk_along(part_of_doubles, &s, SIZE(given[0]));
    }
    if (!are_vectors(given, 4)) return UNSUITED;
    step s = {.rule = ADAM,
              .number = {(float)alpha, (float)(1.0 - beta_1), (float)(1.0 - beta_2), (float)epsilon}};
    return take_step(&s, given, 2);
}

static PyObject *rmsprop_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, v, work, mean, m, learning_rate, rho, momentum, epsilon */
    double rate, rho, momentum, epsilon;
    PyObject *arrays[] = {given[0], given[1], given[2], given[4], given[5]};
    if (!are_vectors(arrays, 5) || !number(given[6], &rate) || !number(given[7], &rho) || !number(given[8], &momentum) ||
        !number(given[9], &epsilon))
        return UNSUITED;
    step s = {.rule = RMSPROP, .number = {(float)rate, (float)rho, (float)momentum, (float)epsilon}};
    return take_step(&s, arrays, 3);
}

static PyObject *amsgrad_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, m, v, v_hat, work, learning_rate, beta_1, beta_2, epsilon, step */
    double x[5];
    if (!are_vectors(given, 5) || !numbers(given + 6, 5, x)) return UNSUITED;
    double alpha = x[0] * sqrt(1.0 - pow(x[2], x[4])) / (1.0 - pow(x[1], x[4]));
    step s = {.rule = AMSGRAD, .number = {(float)alpha, (float)(1.0 - x[1]), (float)(1.0 - x[2]), (float)x[3]}};
    return take_step(&s, given, 3);
}

static PyObject *adamax_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, m, u, work, learning_rate, beta_1, beta_2, epsilon, step */
    double x[5];
    if (!are_vectors(given, 4) || !numbers(given + 5, 5, x)) return UNSUITED;
    double alpha = x[0] / (1.0 - pow(x[1], x[4]));
    step s = {.rule = ADAMAX, .number = {(float)alpha, (float)(1.0 - x[1]), (float)x[2], (float)x[3]}};
    return take_step(&s, given, 2);
}

static PyObject *nadam_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, m, v, work, m_factor, g_factor, beta_1, beta_2, epsilon, step */
    double x[6];
    if (!are_vectors(given, 4) || !numbers(given + 5, 6, x)) return UNSUITED;
    step s = {.rule = NADAM,
              .number = {(float)x[0], (float)x[1], (float)(1.0 - x[2]), (float)(1.0 - x[3]), (float)x[4],
                         (float)(1.0 / (1.0 - pow(x[3], x[5])))}};
    return take_step(&s, given, 2);
}

static PyObject *adagrad_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, v, work, learning_rate, epsilon */
    double x[2];
    if (!are_vectors(given, 3) || !numbers(given + 4, 2, x)) return UNSUITED;
    step s = {.rule = ADAGRAD, .number = {(float)x[0], (float)x[1]}};
    return take_step(&s, given, 1);
}

static PyObject *adadelta_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, v, d, work, learning_rate, rho, epsilon */
    double x[3];
    if (!are_vectors(given, 4) || !numbers(given + 5, 3, x)) return UNSUITED;
    step s = {.rule = ADADELTA, .number = {(float)x[0], (float)x[1], (float)x[2]}};
    return take_step(&s, given, 2);
}

static PyObject *lion_step(const kernel *Py_UNUSED(self), PyObject **given) {
    /* w, g, m, work, learning_rate, beta_1, beta_2 */
    double x[3];
    if (!are_vectors(given, 3) || !numbers(given + 4, 3, x)) return UNSUITED;
    step s = {.rule = LION, .number = {(float)x[0], (float)x[1], (float)x[2]}};
    return take_step(&s, given, 1);
}

static PyObject *flush_subnormals(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *x = given[0];
    if (!is_output(x)) return UNSUITED;
    RUN(SIZE(x), use->flush(DATA(x), FLT_MIN * 1048576.0f, SIZE(x)));
    Py_RETURN_NONE;
}
