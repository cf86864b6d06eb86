/* Native kernels: functions of multilayer.functional in C, under the same names and with the same parameters.
 *
 * A kernel takes the call where all arrays suit it (float32, C-contiguous, shapes that fit); otherwise it hands the very
 * same arguments to its reference, which computes the result or raises the error. `bind(functional)` tells the kernels
 * their references. The loops are in _loops.h; here is what stands between them and Python.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Before Python 3.13, where there is one lock for all objects, none has a lock of its own. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

#include "_compiler.h"
#include "_threads.h"
#include "_kinds.h"
#include "_products.h"

/* Other Python threads may go on while a loop runs, if it runs long enough to be worth the handing over. */
#define LONG_LOOP 16384
#define RUN(size, work)                                                                                                \
    do {                                                                                                               \
        PyThreadState *state = (size) >= LONG_LOOP ? PyEval_SaveThread() : NULL;                                       \
        FLUSHING_SUBNORMALS(work);                                                                                     \
        if (state != NULL) PyEval_RestoreThread(state);                                                                \
    } while (0)

/* --- Arguments ---------------------------------------------------------------------------------------------------------- */

#define MOST_PARAMETERS 12

typedef struct kernel {
    const char *name;
    PyObject *(*compute)(const struct kernel *, PyObject **given); /* UNSUITED where the reference has to do it */
    int which;                                                     /* of several that share `compute` */
    int required;                                                  /* the first so many parameters */
    const char *parameters[MOST_PARAMETERS];
    PyObject *keys[MOST_PARAMETERS]; /* the parameters' names as interned strings */
    _Atomic(PyObject *) reference;
} kernel;

#define UNSUITED Py_NotImplemented /* borrowed; no kernel returns it as a value */

/* Sorts the arguments into `given`, NULL where there is none or it is None. False where they do not fit the parameters. */
static int sorted(const kernel *self, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **given) {
    memset(given, 0, MOST_PARAMETERS * sizeof(PyObject *));
    Py_ssize_t named = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    if (count + named > MOST_PARAMETERS) return 0;
    memcpy(given, args, (size_t)count * sizeof(PyObject *));
    for (Py_ssize_t i = 0; i < named; i++) {
        int j = 0; /* names that come from source code are interned: the same name is the same object */
        while (j < MOST_PARAMETERS && self->keys[j] != PyTuple_GET_ITEM(names, i)) j++;
        if (j == MOST_PARAMETERS || given[j] != NULL) return 0;
        given[j] = args[count + i];
    }
    for (int j = 0; j < MOST_PARAMETERS; j++) {
        if (given[j] != NULL && self->keys[j] == NULL) return 0;
        if (given[j] == Py_None) given[j] = NULL;
        if (given[j] == NULL && j < self->required) return 0;
    }
    return 1;
}

static PyObject *call(PyObject *capsule, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    const kernel *self = PyCapsule_GetPointer(capsule, NULL);
    PyObject *given[MOST_PARAMETERS];
    PyObject *result = sorted(self, args, count, names, given) ? self->compute(self, given) : UNSUITED;
    return result != UNSUITED ? result : PyObject_Vectorcall(self->reference, args, (size_t)count, names);
}

static int is_array(PyObject *o, int type) {
    return PyArray_CheckExact(o) && PyArray_TYPE((PyArrayObject *)o) == type && PyArray_ISCARRAY_RO((PyArrayObject *)o);
}
static int is_floats(PyObject *o) { return is_array(o, NPY_FLOAT32); }
static int is_output(PyObject *o) { return is_floats(o) && PyArray_ISWRITEABLE((PyArrayObject *)o); }
static int same_shape(PyObject *a, PyObject *b) { return PyArray_SAMESHAPE((PyArrayObject *)a, (PyArrayObject *)b); }
static int is_output_like(PyObject *o, PyObject *like) { return o == NULL || (is_output(o) && same_shape(o, like)); }

#define DATA(o) ((o) == NULL ? NULL : PyArray_DATA((PyArrayObject *)(o)))
#define NDIM(o) PyArray_NDIM((PyArrayObject *)(o))
#define SIZE(o) ((size_t)PyArray_SIZE((PyArrayObject *)(o)))
#define COLUMNS(o) ((size_t)PyArray_DIM((PyArrayObject *)(o), NDIM(o) - 1))

static int is_row(PyObject *o, size_t k) { return is_floats(o) && NDIM(o) == 1 && SIZE(o) == k; }

/* `out`, or a new array of the same shape. NULL where there is no memory. */
static PyObject *out_or_new(PyObject *out, PyObject *like) {
    if (out != NULL) return Py_NewRef(out);
    return PyArray_SimpleNew(NDIM(like), PyArray_DIMS((PyArrayObject *)like), NPY_FLOAT32);
}

typedef struct {
    const char *start, *stop;
} span;

/* The memory between an array's first and last byte; of a strided one, what lies between its elements, too. */
static span span_of(PyObject *o) {
    const PyArrayObject *array = (PyArrayObject *)o;
    span s = {PyArray_BYTES(array), PyArray_BYTES(array) + PyArray_ITEMSIZE(array)};
    for (int i = 0; i < PyArray_NDIM(array); i++) {
        npy_intp reach = (PyArray_DIM(array, i) - 1) * PyArray_STRIDE(array, i);
        if (PyArray_DIM(array, i) == 0) return (span){s.start, s.start};
        if (reach < 0) s.start += reach;
        else s.stop += reach;
    }
    return s;
}

/* Whether each of the first `outputs` arrays has memory that none of the others reaches into: what every loop takes for
 * granted, but for an output that is an input itself, element for element. NULL stands for an array that is not there. */
static int are_apart(int outputs, int count, PyObject *const *arrays) {
    span spans[MOST_PARAMETERS];
    for (int i = 0; i < count; i++) {
        spans[i] = arrays[i] == NULL ? (span){NULL, NULL} : span_of(arrays[i]);
        for (int j = 0; j < i && j < outputs; j++)
            if (spans[i].start < spans[j].stop && spans[j].start < spans[i].stop) return 0;
    }
    return 1;
}
#define APART(outputs, ...)                                                                                            \
    are_apart(outputs, (int)(sizeof((PyObject *[]){__VA_ARGS__}) / sizeof(PyObject *)), (PyObject *[]){__VA_ARGS__})

/* Reads a real number that is a Python or NumPy float (or int). No method of the caller's is called for it, such as the
 * `__float__` of a class of his own: that could change the very arrays that were looked at before. What is of another
 * class, or beyond a double, is the reference's. */
static int number(PyObject *o, double *value) {
    if (o == NULL) return 0;
    if (PyFloat_Check(o)) {
        *value = PyFloat_AS_DOUBLE(o);
    } else if (PyLong_Check(o)) {
        *value = PyLong_AsDouble(o);
        if (*value == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return 0;
        }
    } else if (Py_IS_TYPE(o, &PyFloatArrType_Type)) {
        *value = PyArrayScalar_VAL(o, Float);
    } else {
        return 0;
    }
    return 1;
}

/* Reads so many numbers from the arguments on. */
static int numbers(PyObject *const *given, int count, double *found) {
    for (int i = 0; i < count; i++)
        if (!number(given[i], &found[i])) return 0;
    return 1;
}

#include "_layers.h"
#include "_dense.h"
#include "_splines.h"
#include "_steps.h"

/* --- Rows, rescaling, dropout --------------------------------------------------------------------------------------------- */

typedef struct {
    job job; /* first, so that a pointer to it is one to the whole */
    PyObject *source, *rows, *out;
    size_t n, k, item; /* rows, elements a row, bytes an element of the source */
    size_t height;     /* rows of the source */
    int convert;       /* bytes to floats, or as they are */
} gathering;

#define LINE 64 /* bytes that come from memory at a time */

static void gather(job *job) {
    const gathering *g = (const gathering *)job;
    const intptr_t *rows = DATA(g->rows);
    const char *source = DATA(g->source);
    char *out = DATA(g->out);
    size_t bytes = g->k * g->item;
    for (size_t i = 0; i < g->n; i++) {
        const char *row = source + index_below(g->height, &rows[i]) * bytes;
        if (i + 1 < g->n) { /* rows lie anywhere: the next one's way from memory begins while this one is copied */
            const char *next = source + index_below(g->height, &rows[i + 1]) * bytes;
            for (size_t at = 0; at < bytes; at += LINE) PREFETCH(next + at);
        }
        if (g->convert)
            use->bytes_to_floats((float *)out + i * g->k, (const uint8_t *)row, g->k);
        else
            memcpy(out + i * bytes, row, bytes);
    }
}

/* What is to be gathered, from the arguments source, rows and out. False where they do not suit. */
static int prepared(gathering *g, PyObject **given) {
    PyObject *source = given[0], *rows = given[1], *out = given[2];
    if (!PyArray_CheckExact(source) || !PyArray_CheckExact(out) || !is_array(rows, NPY_INTP) || NDIM(rows) != 1) return 0;
    PyArrayObject *from = (PyArrayObject *)source, *to = (PyArrayObject *)out;
    int type = PyArray_TYPE(from), convert = type == NPY_UINT8 && PyArray_TYPE(to) == NPY_FLOAT32;
    if (!PyArray_ISCARRAY_RO(from) || !PyArray_ISCARRAY(to) || NDIM(source) < 1 || NDIM(source) != NDIM(out) ||
        !PyArray_CompareLists(PyArray_DIMS(from) + 1, PyArray_DIMS(to) + 1, NDIM(source) - 1) ||
        (size_t)PyArray_DIM(to, 0) != SIZE(rows) || !PyTypeNum_ISNUMBER(type) || !APART(1, out, source, rows) ||
        !(convert || type == PyArray_TYPE(to)) || SIZE(out) == 0 || !in_range(rows, (size_t)PyArray_DIM(from, 0)))
        return 0;
    *g = (gathering){.source = source, .rows = rows, .out = out, .n = SIZE(rows), .convert = convert};
    g->job.run = gather;
    g->k = SIZE(out) / g->n;
    g->height = (size_t)PyArray_DIM(from, 0);
    g->item = (size_t)PyArray_ITEMSIZE(from);
    return 1;
}

static PyObject *take_rows(const kernel *Py_UNUSED(self), PyObject **given) {
    gathering g;
    if (!prepared(&g, given)) return UNSUITED;
    RUN(g.n * g.k, gather(&g.job));
    return Py_NewRef(g.out);
}

/* take_rows in the background: a function that returns `out` once it is filled. */

static void forget_gathering(PyObject *capsule) {
    gathering *g = PyCapsule_GetPointer(capsule, NULL);
    finish(&g->job); /* nobody asked for the result, but memory is being written */
    Py_DECREF(g->source);
    Py_DECREF(g->rows);
    Py_DECREF(g->out);
    PyMem_Free(g);
}

static PyObject *gathered(PyObject *capsule, PyObject *Py_UNUSED(none)) {
    gathering *g = PyCapsule_GetPointer(capsule, NULL);
    Py_BEGIN_CRITICAL_SECTION(capsule); /* who asks second, without Python's lock, is not to find it half done */
    finish(&g->job);
    Py_END_CRITICAL_SECTION();
    return Py_NewRef(g->out);
}

static PyMethodDef gathered_method = {"gathered", gathered, METH_NOARGS, NULL};

static PyObject *begin_rows(const kernel *Py_UNUSED(self), PyObject **given) {
    gathering *g = PyMem_Malloc(sizeof(gathering));
    if (g == NULL) return PyErr_NoMemory();
    if (threads < 2 || !prepared(g, given) || !begin(&g->job)) {
        PyMem_Free(g);
        return UNSUITED;
    }
    Py_INCREF(g->source);
    Py_INCREF(g->rows);
    Py_INCREF(g->out);
    PyObject *capsule = PyCapsule_New(g, NULL, forget_gathering);
    PyObject *result = capsule == NULL ? NULL : PyCFunction_New(&gathered_method, capsule);
    Py_XDECREF(capsule);
    return result;
}

static PyObject *rescale(const kernel *Py_UNUSED(self), PyObject **given) {
    double scale, offset;
    PyObject *x = given[0], *out = given[3];
    if (!is_floats(x) || !is_output_like(out, x) || !number(given[1], &scale) || !number(given[2], &offset) ||
        (out != x && !APART(1, out, x)))
        return UNSUITED;
    PyObject *y = out_or_new(out, x);
    if (y == NULL) return NULL;
    RUN(SIZE(x), use->rescale(DATA(y), DATA(x), (float)scale, (float)offset, SIZE(x)));
    return y;
}

static PyObject *dropout(const kernel *Py_UNUSED(self), PyObject **given) {
    /* x, rate, key, counter, out, mask */
    double rate;
    PyObject *x = given[0], *out = given[4], *mask = given[5];
    if (!is_floats(x) || !number(given[1], &rate) || !PyLong_Check(given[2]) || !PyLong_Check(given[3]) || out == NULL ||
        mask == NULL || !is_output_like(out, x) || !is_output_like(mask, x) ||
        !APART(2, out, mask, out == x ? NULL : x) || !(rate >= 0.0 && rate < 1.0))
        return UNSUITED;
    uint64_t key = PyLong_AsUnsignedLongLong(given[2]), counter = PyLong_AsUnsignedLongLong(given[3]);
    if (PyErr_Occurred()) { /* out of 64 bits: the reference says so */
        PyErr_Clear();
        return UNSUITED;
    }
    RUN(SIZE(x), use->dropout(DATA(out), DATA(mask), DATA(x), key, counter, (uint32_t)(rate * 4294967296.0),
                              (float)(1.0 / (1.0 - rate)), SIZE(x)));
    return PyTuple_Pack(2, out, mask);
}

static PyObject *all_finite(const kernel *Py_UNUSED(self), PyObject **given) {
    PyObject *x = given[0];
    if (!is_floats(x)) return UNSUITED;
    int finite = 0;
    RUN(SIZE(x), finite = use->all_finite(DATA(x), SIZE(x)));
    return PyBool_FromLong(finite);
}

/* --- The module ------------------------------------------------------------------------------------------------------------ */

#define FORWARD(name, which) {name, forward, which, 1, {"x", "out", "bias"}, {0}, NULL}
#define BACKWARD(name, which) {name, backward, which, 2, {"dy", "y", "out", "db"}, {0}, NULL}
#define LOSS(name, which, target) {name, cross_entropy, which, 2, {"a", target, "y_hat", "da", "losses", "scale"}, {0}, NULL}

static kernel kernels[] = {
    FORWARD("linear", 0),
    FORWARD("relu", 1),
    FORWARD("sigmoid", 2),
    FORWARD("tanh", 3),
    FORWARD("softmax", 4),
    BACKWARD("relu_backward", 0),
    BACKWARD("sigmoid_backward", 1),
    BACKWARD("tanh_backward", 2),
    BACKWARD("softmax_backward", 3),
    {"selu", forward, 5, 1, {"x", "out"}, {0}, NULL},
    {"mish", forward, 6, 1, {"x", "out"}, {0}, NULL},
    {"selu_backward", backward, 4, 2, {"dy", "x", "out"}, {0}, NULL},
    {"mish_backward", backward, 5, 2, {"dy", "x", "out"}, {0}, NULL},
    LOSS("sparse_softmax_cross_entropy", SPARSE_SOFTMAX, "labels"),
    LOSS("softmax_cross_entropy", SOFTMAX, "t"),
    LOSS("sigmoid_binary_cross_entropy", SIGMOID, "t"),
    {"matmul", matmul, 0, 2, {"a", "b", "out"}, {0}, NULL},
    {"dense", dense, 0, 2, {"x", "W", "b", "activation", "out"}, {0}, NULL},
    {"dense_backward", dense_backward, 0, 1, {"dy", "y", "x", "W", "activation", "da", "dW", "db", "dx"}, {0}, NULL},
    {"linear_splines", linear_splines, 0, 5,
     {"x", "low", "factor", "counts", "values", "base", "activation", "out"}, {0}, NULL},
    {"sum_rows", sum_rows, 0, 2, {"x", "out"}, {0}, NULL},
    {"total", total, 0, 1, {"x"}, {0}, NULL},
    {"count_hits", count_hits, 0, 2, {"y_hat", "labels"}, {0}, NULL},
    {"sgd_step", sgd_step, 0, 4, {"w", "g", "work", "learning_rate"}, {0}, NULL},
    {"momentum_step", momentum_step, 0, 7, {"w", "g", "m", "work", "learning_rate", "momentum", "nesterov"}, {0}, NULL},
    {"adam_step", adam_step, 0, 10,
     {"w", "g", "m", "v", "work", "learning_rate", "beta_1", "beta_2", "epsilon", "step"}, {0}, NULL},
    {"rmsprop_step", rmsprop_step, 0, 4,
     {"w", "g", "v", "work", "mean", "m", "learning_rate", "rho", "momentum", "epsilon"}, {0}, NULL},
    {"amsgrad_step", amsgrad_step, 0, 11,
     {"w", "g", "m", "v", "v_hat", "work", "learning_rate", "beta_1", "beta_2", "epsilon", "step"}, {0}, NULL},
    {"adamax_step", adamax_step, 0, 10,
     {"w", "g", "m", "u", "work", "learning_rate", "beta_1", "beta_2", "epsilon", "step"}, {0}, NULL},
    {"nadam_step", nadam_step, 0, 11,
     {"w", "g", "m", "v", "work", "m_factor", "g_factor", "beta_1", "beta_2", "epsilon", "step"}, {0}, NULL},
    {"adagrad_step", adagrad_step, 0, 6, {"w", "g", "v", "work", "learning_rate", "epsilon"}, {0}, NULL},
    {"adadelta_step", adadelta_step, 0, 8, {"w", "g", "v", "d", "work", "learning_rate", "rho", "epsilon"}, {0}, NULL},
    {"lion_step", lion_step, 0, 7, {"w", "g", "m", "work", "learning_rate", "beta_1", "beta_2"}, {0}, NULL},
    {"batch_norm", batch_norm, 0, 9,
     {"x", "gamma", "beta", "epsilon", "y", "x_hat", "mean", "variance", "scale"}, {0}, NULL},
    {"batch_norm_backward", batch_norm_backward, 0, 7,
     {"dy", "x_hat", "gamma", "scale", "dx", "dgamma", "dbeta"}, {0}, NULL},
    {"layer_norm", layer_norm, 0, 8, {"x", "gamma", "beta", "epsilon", "y", "x_hat", "scale", "centered"}, {0}, NULL},
    {"layer_norm_backward", layer_norm_backward, 0, 8,
     {"dy", "x_hat", "gamma", "scale", "dx", "dgamma", "dbeta", "centered"}, {0}, NULL},
    {"flush_subnormals", flush_subnormals, 0, 2, {"x", "work"}, {0}, NULL},
    {"take_rows", take_rows, 0, 3, {"source", "rows", "out", "work"}, {0}, NULL},
    {"begin_rows", begin_rows, 0, 3, {"source", "rows", "out", "work"}, {0}, NULL},
    {"all_finite", all_finite, 0, 1, {"x"}, {0}, NULL},
    {"rescale", rescale, 0, 3, {"x", "scale", "offset", "out"}, {0}, NULL},
    {"dropout", dropout, 0, 6, {"x", "rate", "key", "counter", "out", "mask"}, {0}, NULL},
};

enum { KERNELS = sizeof(kernels) / sizeof(kernels[0]), KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* bind(functional): tells every kernel its reference, the function of the same name. The one before is never let go of:
 * without Python's lock, another thread may be about to call it. */
static PyObject *bind(PyObject *Py_UNUSED(module), PyObject *references) {
    for (int i = 0; i < KERNELS; i++) {
        PyObject *reference = PyObject_GetAttrString(references, kernels[i].name);
        if (reference == NULL) return NULL;
        kernels[i].reference = reference;
    }
    Py_RETURN_NONE;
}

/* The kinds of loops that this processor can run, the fastest first. */
static PyObject *supported(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
    PyObject *names = PyList_New(0);
    for (int i = 0; i < KINDS && names != NULL; i++) {
        if (!kinds[i].supported()) continue;
        PyObject *name = PyUnicode_FromString(kinds[i].name);
        if (name == NULL || PyList_Append(names, name) != 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

/* choose(kind): which loops the kernels run from now on. */
static PyObject *choose(PyObject *Py_UNUSED(module), PyObject *kind) {
    for (int i = 0; i < KINDS; i++) {
        if (!PyUnicode_Check(kind) || PyUnicode_CompareWithASCIIString(kind, kinds[i].name) != 0) continue;
        if (!kinds[i].supported()) break;
        use = kinds[i].loops;
        Py_RETURN_NONE;
    }
    return PyErr_Format(PyExc_ValueError, "This processor runs no kernels of kind %R.", kind);
}

/* share_among(threads): how many threads share work, at most. */
static PyObject *share_among(PyObject *Py_UNUSED(module), PyObject *count) {
    long wanted = PyLong_AsLong(count);
    if (wanted == -1 && PyErr_Occurred()) return NULL;
    int now = wanted < 1 ? 1 : wanted > MOST_THREADS ? MOST_THREADS : (int)wanted;
    threads = now;
    return PyLong_FromLong(now);
}

/* leave_to_blas(whether): whether all but small products go to their references, and so to NumPy's BLAS library. */
static PyObject *leave_to_blas(PyObject *Py_UNUSED(module), PyObject *whether) {
    int leave = PyObject_IsTrue(whether);
    if (leave < 0) return NULL;
    blas_is_faster = leave;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"bind", bind, METH_O, "Tell every kernel its reference, the function of the same name in this module."},
    {"supported", supported, METH_NOARGS, "The kinds of loops that this processor can run, the fastest first."},
    {"choose", choose, METH_O, "Run loops of this kind from now on."},
    {"share_among", share_among, METH_O, "Share work among up to so many threads."},
    {"leave_to_blas", leave_to_blas, METH_O, "Whether all but small products are NumPy's."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "multilayer._core.kernels._native", "Native kernels for the functions of multilayer.functional.", -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) {
    static PyMethodDef methods[KERNELS];
    import_array();
    PyObject *m = PyModule_Create(&module);
    if (m == NULL) return NULL;
#ifdef Py_GIL_DISABLED
    /* Safe without Python's lock: what calls share is atomic (`use`, `threads`, `blas_is_faster`, the references), the pool's
     * behind its own locks, or written here alone, before anybody can call. Arrays are looked at once, before a loop begins,
     * under the rule that NumPy has, too: nobody resizes or reshapes an array in place while another thread computes with it. */
    if (PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED) != 0) return NULL;
#endif
    prepare_threads();
    for (int i = 0; i < KERNELS; i++) {
        for (int j = 0; j < MOST_PARAMETERS && kernels[i].parameters[j] != NULL; j++) {
            kernels[i].keys[j] = PyUnicode_InternFromString(kernels[i].parameters[j]);
            if (kernels[i].keys[j] == NULL) return NULL;
        }
        methods[i] = (PyMethodDef){kernels[i].name, (PyCFunction)(void (*)(void))call, METH_FASTCALL | METH_KEYWORDS, NULL};
        PyObject *itself = PyCapsule_New(&kernels[i], NULL, NULL);
        PyObject *function = itself == NULL ? NULL : PyCFunction_New(&methods[i], itself);
        Py_XDECREF(itself);
        if (function == NULL || PyModule_AddObject(m, kernels[i].name, function) != 0) return NULL;
    }
    return m;
}
