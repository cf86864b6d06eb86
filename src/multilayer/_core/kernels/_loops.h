/* The loops, written once in plain C and compiled once for every kind of processor.
 *
 * Whoever includes this file defines NAME(f), which gives a function its name for that kind, and TARGET, which tells
 * the compiler what instructions it may use. Loops are kept free of branches, so that the compiler makes vector code of
 * them; `omp simd` asserts that no turn of a loop depends on another, which stays true where an output IS an input, and
 * lets sums be taken in any order.
 *
 * Matrices are n rows of k, one after the other. Everything is float32 unless it says otherwise.
 */

#define INLINE static ALWAYS_INLINE TARGET

/* --- exp, and what is made of it -------------------------------------------------------------------------------------
 *
 * exp(x) = 2^k exp(r) with k = round(x / ln 2), so that |r| <= ln(2) / 2, where exp(r) - 1 = r + r^2 q(r) and q is a
 * polynomial of degree 4 (least maximal error, found by reweighted least squares; 1.3e-8 relative). Adding 1.5 * 2^23
 * rounds to a whole number and leaves it in the low bits. ln 2 is taken away in two pieces, the first of which
 * has zeros at its end, so that k times it is exact.
 */

#define ROUNDING 12582912.0f
#define ROUNDING_BITS 0x4B400000

INLINE float NAME(power_of_two)(int32_t k) {
    union { int32_t i; float f; } bits = {(k + 127) << 23};
    return bits.f;
}

INLINE float NAME(exp_minus_one_of_rest)(float x, int32_t *k) {
    union { float f; int32_t i; } rounded = {x * 1.44269504f + ROUNDING};
    *k = rounded.i - ROUNDING_BITS;
    float whole = rounded.f - ROUNDING;
    float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    float q = 0.0013882514f;
    q = q * r + 0.0083665475f;
    q = q * r + 0.0416672006f;
    q = q * r + 0.1666654348f;
    q = q * r + 0.4999999702f;
    return r + r * r * q;
}

INLINE float NAME(exp_)(float x) {
    x = x > 89.0f ? 89.0f : x; /* exp is infinite from 88.73 on; written so that NaN stays NaN */
    x = x < -104.0f ? -104.0f : x;
    int32_t k;
    float y = NAME(exp_minus_one_of_rest)(x, &k) + 1.0f;
    int32_t half = k >> 1; /* 2^k alone may leave the range of the type where the result does not */
    return y * NAME(power_of_two)(half) * NAME(power_of_two)(k - half);
}

INLINE float NAME(sigmoid_)(float x) {
    float minus = -x;
    minus = minus > 86.6433945f ? 86.6433945f : minus; /* -log(2 * smallest normal number), as the reference has it */
    return 1.0f / (1.0f + NAME(exp_)(minus));
}

INLINE float NAME(tanh_)(float x) { /* (exp(2|x|) - 1) / (exp(2|x|) + 1), without loss where x is small */
    float twice = 2.0f * fabsf(x);
    twice = twice > 40.0f ? 40.0f : twice;
    int32_t k;
    float rest = NAME(exp_minus_one_of_rest)(twice, &k);
    float power = NAME(power_of_two)(k);
    float e = rest * power + (power - 1.0f);
    return copysignf(e / (e + 2.0f), x);
}

INLINE float NAME(log_one_plus)(float u) { /* for u in [0, 1]: 2 atanh(s) with s = u / (2 + u) <= 1/3, as a series */
    float s = u / (2.0f + u), z = s * s;
    float p = 0.1401038617f;
    p = p * z + 0.1399999261f;
    p = p * z + 0.2001082003f;
    p = p * z + 0.3333320618f;
    return 2.0f * (s + s * z * p);
}

#define ROWS_AT_ONCE 64

/* --- Activations ------------------------------------------------------------------------------------------------------
 *
 * Forward: y = f(x + bias), the bias (k,) added to every row; NULL for none. Backward: dx = dy f'(a), written with
 * y = f(a), and db = the sum of dx over the rows; NULL where nobody wants it.
 * Both take k columns of rows of `width`.
 */

INLINE float NAME(relu_)(float x) { return x > 0.0f ? x : (x <= 0.0f ? 0.0f : x); } /* NaN stays NaN */

static TARGET void NAME(add_bias)(float *y, const float *x, const float *bias, size_t n, size_t k, size_t width) {
    for (size_t row = 0; row < n; row++, x += width, y += width) {
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) y[j] = x[j] + bias[j];
    }
}

/* Where rows end in a rest that fills no vector, the bias is added row by row and f applied to many rows at a time. */
#define FORWARD(name)                                                                                                  \
    static TARGET void NAME(name)(float *y, const float *x, const float *bias, size_t n, size_t k, size_t width) {     \
        if (bias != NULL && (k != width || k % 16 == 0 || k >= 256)) {                                                 \
            for (size_t row = 0; row < n; row++, x += width, y += width) {                                             \
                _Pragma("omp simd") for (size_t j = 0; j < k; j++) y[j] = NAME(name##_)(x[j] + bias[j]);               \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        size_t rows = k == width ? ROWS_AT_ONCE : 1;                                                                   \
        for (size_t start = 0; start < n; start += rows, x += rows * width, y += rows * width) {                       \
            rows = n - start < rows ? n - start : rows;                                                                \
            const float *from = bias == NULL ? x : y;                                                                  \
            if (bias != NULL) NAME(add_bias)(y, x, bias, rows, k, k);                                                  \
            _Pragma("omp simd") for (size_t i = 0; i < rows * k; i++) y[i] = NAME(name##_)(from[i]);                   \
        }                                                                                                              \
    }

/* Scale and alpha of selu, as the reference has them. */
#define SELU_SCALE 1.0507009873554805f
#define SELU_DEPTH 1.7580993408473766f /* scale alpha */

INLINE float NAME(exp_minus_one)(float x) { /* of a number below 0, without loss where that is small */
    x = x < -20.0f ? -20.0f : x;
    int32_t k;
    float rest = NAME(exp_minus_one_of_rest)(x, &k);
    float power = NAME(power_of_two)(k);
    return rest * power + (power - 1.0f);
}

INLINE float NAME(selu_)(float x) {
    float below = NAME(exp_minus_one)(x > 0.0f ? 0.0f : x);
    return x > 0.0f ? SELU_SCALE * x : SELU_DEPTH * below;
}

INLINE float NAME(selu_slope)(float x) {
    float below = NAME(exp_)(x > 0.0f ? 0.0f : x);
    return x > 0.0f ? SELU_SCALE : SELU_DEPTH * below;
}

/* With e = exp(x) and n = e (e + 2), tanh(log(1 + e)) is n / (n + 2): one exp, and no logarithm. From x = 20 on it is 1. */
INLINE float NAME(mish_)(float x) {
    float e = NAME(exp_)(x > 20.0f ? 20.0f : x), n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}

INLINE float NAME(mish_slope)(float x) {
    float near = x > 20.0f ? 20.0f : x;
    float e = NAME(exp_)(near), n = e * (e + 2.0f), q = 1.0f / (n + 2.0f);
    return (n + 4.0f * near * e * (e + 1.0f) * q) * q;
}

FORWARD(relu)
FORWARD(sigmoid)
FORWARD(tanh)
FORWARD(selu)
FORWARD(mish)

#define BACKWARD(name, derivative)                                                                                     \
    static TARGET void NAME(name##_backward)(float *dx, const float *dy, const float *y, float *db, size_t n, size_t k,\
                                             size_t width) {                                                           \
        if (db == NULL && k == width) { /* rows side by side: one long one */                                          \
            k *= n;                                                                                                    \
            n = 1;                                                                                                     \
        }                                                                                                              \
        if (db != NULL) memset(db, 0, k * sizeof(float));                                                              \
        for (size_t row = 0; row < n; row++, dx += width, dy += width, y += width) {                                   \
            if (db == NULL) {                                                                                          \
                _Pragma("omp simd") for (size_t j = 0; j < k; j++) dx[j] = dy[j] * (derivative(y[j]));                 \
                continue;                                                                                              \
            }                                                                                                          \
            _Pragma("omp simd") for (size_t j = 0; j < k; j++) {                                                       \
                float d = dy[j] * (derivative(y[j]));                                                                  \
                dx[j] = d;                                                                                             \
                db[j] += d;                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    }

#define OF_RELU(y) ((y) > 0.0f ? 1.0f : 0.0f)
#define OF_SIGMOID(y) ((y) * (1.0f - (y)))
#define OF_TANH(y) (1.0f - (y) * (y))

BACKWARD(relu, OF_RELU)
BACKWARD(sigmoid, OF_SIGMOID)
BACKWARD(tanh, OF_TANH)
BACKWARD(selu, NAME(selu_slope)) /* of these two, y is what they were applied to */
BACKWARD(mish, NAME(mish_slope))

static TARGET void NAME(sum_rows)(float *sum, const float *x, size_t n, size_t k) {
    memcpy(sum, x, k * sizeof(float));
    for (size_t row = 1; row < n; row++) {
        x += k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) sum[j] += x[j];
    }
}

/* exp(x - the row's largest x), the largest of each row and the sum of each row: what softmax and the cross-entropies
 * share. Rows of a few columns are worked on together, since vectors want long loops. */
#define LONG_ROW 32

INLINE float NAME(largest)(const float *x, size_t k) {
    float top = x[0];
    if (k >= LONG_ROW) {
        SIMD_LARGEST(top) for (size_t j = 0; j < k; j++) top = x[j] > top ? x[j] : top;
    } else {
        for (size_t j = 1; j < k; j++) top = x[j] > top ? x[j] : top;
    }
    return top;
}

INLINE float NAME(sum)(const float *x, size_t k) {
    float total = 0.0f;
    if (k >= LONG_ROW) {
        _Pragma("omp simd reduction(+ : total)") for (size_t j = 0; j < k; j++) total += x[j];
    } else {
        for (size_t j = 0; j < k; j++) total += x[j];
    }
    return total;
}

static TARGET void NAME(exp_rows)(float *y, const float *x, float *tops, float *totals, size_t n, size_t k) {
    for (size_t row = 0; row < n; row++) {
        float top = tops[row] = NAME(largest)(x + row * k, k);
        _Pragma("omp simd") for (size_t j = row * k; j < (row + 1) * k; j++) y[j] = x[j] - top;
    }
    _Pragma("omp simd") for (size_t i = 0; i < n * k; i++) y[i] = NAME(exp_)(y[i]);
    for (size_t row = 0; row < n; row++) totals[row] = NAME(sum)(y + row * k, k);
}

/* A row of softmax is done whole: its width is k. */
static TARGET void NAME(softmax)(float *y, const float *x, const float *bias, size_t n, size_t k, size_t width) {
    float tops[ROWS_AT_ONCE], totals[ROWS_AT_ONCE];
    (void)width;
    if (bias != NULL) {
        NAME(add_bias)(y, x, bias, n, k, k);
        x = y;
    }
    for (size_t start = 0; start < n; start += ROWS_AT_ONCE, x += ROWS_AT_ONCE * k) {
        size_t rows = n - start < ROWS_AT_ONCE ? n - start : ROWS_AT_ONCE;
        NAME(exp_rows)(y, x, tops, totals, rows, k);
        for (size_t row = 0; row < rows; row++, y += k) {
            float share = 1.0f / totals[row];
            _Pragma("omp simd") for (size_t j = 0; j < k; j++) y[j] *= share;
        }
    }
}

static TARGET void NAME(softmax_backward)(float *dx, const float *dy, const float *y, float *db, size_t n, size_t k,
                                          size_t width) {
    (void)width;
    if (db != NULL) memset(db, 0, k * sizeof(float));
    for (size_t row = 0; row < n; row++, dx += k, dy += k, y += k) {
        float inner = 0.0f;
        _Pragma("omp simd reduction(+ : inner)") for (size_t j = 0; j < k; j++) inner += dy[j] * y[j];
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) dx[j] = (dy[j] - inner) * y[j];
        if (db != NULL) {
            _Pragma("omp simd") for (size_t j = 0; j < k; j++) db[j] += dx[j];
        }
    }
}

/* --- Losses: probabilities, each row's loss and its gradient from the scores, in one go -------------------------------
 *
 * Each row's gradient is multiplied by scales[row], or, where `scales` is NULL, by `scale`.
 */

static TARGET void NAME(sparse_softmax_cross_entropy)(float *losses, float *y_hat, float *da, const float *a,
                                                      const intptr_t *labels, const float *scales, float scale, size_t n,
                                                      size_t k) {
    float tops[ROWS_AT_ONCE], totals[ROWS_AT_ONCE];
    for (size_t row = 0; row < n; row++, a += k, y_hat += k, da += k) {
        size_t at = row % ROWS_AT_ONCE, label = index_below(k, &labels[row]);
        if (at == 0) NAME(exp_rows)(y_hat, a, tops, totals, n - row < ROWS_AT_ONCE ? n - row : ROWS_AT_ONCE, k);
        float factor = scales == NULL ? scale : scales[row], share = 1.0f / totals[at];
        losses[row] = logf(totals[at]) - (a[label] - tops[at]);
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) {
            float p = y_hat[j] * share;
            y_hat[j] = p;
            da[j] = p * factor;
        }
        da[label] = (y_hat[label] - 1.0f) * factor;
    }
}

static TARGET void NAME(softmax_cross_entropy)(float *losses, float *y_hat, float *da, const float *a, const float *t,
                                               const float *scales, float scale, size_t n, size_t k) {
    float tops[ROWS_AT_ONCE], totals[ROWS_AT_ONCE];
    for (size_t row = 0; row < n; row++, a += k, t += k, y_hat += k, da += k) {
        size_t at = row % ROWS_AT_ONCE;
        if (at == 0) NAME(exp_rows)(y_hat, a, tops, totals, n - row < ROWS_AT_ONCE ? n - row : ROWS_AT_ONCE, k);
        float factor = scales == NULL ? scale : scales[row], share = 1.0f / totals[at], top = tops[at];
        float mass = NAME(sum)(t, k), inner = 0.0f;
        _Pragma("omp simd reduction(+ : inner)") for (size_t j = 0; j < k; j++) inner += t[j] * (a[j] - top);
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) {
            float p = y_hat[j] * share;
            y_hat[j] = p;
            da[j] = (p * mass - t[j]) * factor;
        }
        losses[row] = mass * logf(totals[at]) - inner;
    }
}

static TARGET void NAME(sigmoid_binary_cross_entropy)(float *losses, float *y_hat, float *da, const float *a,
                                                      const float *t, const float *scales, float scale, size_t n,
                                                      size_t k) {
    float share = 1.0f / (float)k;
    for (size_t start = 0; start < n; start += ROWS_AT_ONCE) {
        size_t rows = n - start < ROWS_AT_ONCE ? n - start : ROWS_AT_ONCE;
        _Pragma("omp simd") for (size_t i = 0; i < rows * k; i++) {
            float e = NAME(exp_)(-fabsf(a[i])), p = 1.0f / (1.0f + e);
            p = a[i] < 0.0f ? e * p : p;
            y_hat[i] = p < 2.0f * FLT_MIN ? 2.0f * FLT_MIN : p;
            da[i] = (a[i] > 0.0f ? a[i] : 0.0f) - a[i] * t[i] + NAME(log_one_plus)(e); /* the loss, for now */
        }
        for (size_t row = 0; row < rows; row++, y_hat += k, da += k, a += k, t += k) {
            float factor = (scales == NULL ? scale : scales[start + row]) * share;
            losses[start + row] = NAME(sum)(da, k) * share;
            _Pragma("omp simd") for (size_t j = 0; j < k; j++) da[j] = (y_hat[j] - t[j]) * factor;
        }
    }
}

/* --- Optimizer steps: w and its slots in one pass over memory ---------------------------------------------------------- */

static TARGET void NAME(sgd)(float *w, const float *g, float rate, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) w[i] -= rate * g[i];
}

static TARGET void NAME(momentum)(float *w, const float *g, float *m, float rate, float momentum, int nesterov,
                                  size_t size) {
    if (nesterov) {
        _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
            float u = rate * g[i];
            float mean = momentum * m[i] - u;
            m[i] = mean;
            w[i] += momentum * mean - u;
        }
        return;
    }
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float mean = momentum * m[i] - rate * g[i];
        m[i] = mean;
        w[i] += mean;
    }
}

static TARGET void NAME(adam)(float *w, const float *g, float *m, float *v, float alpha, float one_minus_beta_1,
                              float one_minus_beta_2, float epsilon, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float mean = m[i] + one_minus_beta_1 * (g[i] - m[i]);
        float square = v[i] + one_minus_beta_2 * (g[i] * g[i] - v[i]);
        m[i] = mean;
        v[i] = square;
        w[i] -= alpha * mean / (sqrtf(square) + epsilon);
    }
}

/* Both in double precision: products are then the BLAS library's, and NumPy's dozen passes over the vectors took a tenth
 * of a step. */
static TARGET void NAME(sgd_of_doubles)(double *w, const double *g, double rate, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) w[i] -= rate * g[i];
}

static TARGET void NAME(adam_of_doubles)(double *w, const double *g, double *m, double *v, double alpha,
                                         double one_minus_beta_1, double one_minus_beta_2, double epsilon, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        double mean = m[i] + one_minus_beta_1 * (g[i] - m[i]);
        double square = v[i] + one_minus_beta_2 * (g[i] * g[i] - v[i]);
        m[i] = mean;
        v[i] = square;
        w[i] -= alpha * mean / (sqrt(square) + epsilon);
    }
}

static TARGET void NAME(amsgrad)(float *w, const float *g, float *m, float *v, float *most, float alpha,
                                 float one_minus_beta_1, float one_minus_beta_2, float epsilon, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float mean = m[i] + one_minus_beta_1 * (g[i] - m[i]);
        float square = v[i] + one_minus_beta_2 * (g[i] * g[i] - v[i]);
        float largest = most[i] > square ? most[i] : square;
        m[i] = mean;
        v[i] = square;
        most[i] = largest;
        w[i] -= alpha * mean / (sqrtf(largest) + epsilon);
    }
}

static TARGET void NAME(adamax)(float *w, const float *g, float *m, float *u, float alpha, float one_minus_beta_1,
                                float beta_2, float epsilon, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float mean = m[i] + one_minus_beta_1 * (g[i] - m[i]);
        float faded = beta_2 * u[i], height = fabsf(g[i]);
        float largest = faded > height ? faded : height;
        m[i] = mean;
        u[i] = largest;
        w[i] -= alpha * mean / (largest + epsilon);
    }
}

static TARGET void NAME(nadam)(float *w, const float *g, float *m, float *v, const float *x, size_t size) {
    float m_factor = x[0], g_factor = x[1], one_minus_beta_1 = x[2], one_minus_beta_2 = x[3], epsilon = x[4], scale = x[5];
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float mean = m[i] + one_minus_beta_1 * (g[i] - m[i]);
        float square = v[i] + one_minus_beta_2 * (g[i] * g[i] - v[i]);
        m[i] = mean;
        v[i] = square;
        w[i] -= (m_factor * mean + g_factor * g[i]) / (sqrtf(square * scale) + epsilon);
    }
}

static TARGET void NAME(adagrad)(float *w, const float *g, float *v, float rate, float epsilon, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float sum = v[i] + g[i] * g[i];
        v[i] = sum;
        w[i] -= rate * g[i] / sqrtf(sum + epsilon);
    }
}

static TARGET void NAME(adadelta)(float *w, const float *g, float *v, float *d, float rate, float rho, float epsilon,
                                  size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float square = rho * v[i] + (1.0f - rho) * g[i] * g[i];
        float u = g[i] * sqrtf((d[i] + epsilon) / (square + epsilon));
        v[i] = square;
        d[i] = rho * d[i] + (1.0f - rho) * u * u;
        w[i] -= rate * u;
    }
}

static TARGET void NAME(lion)(float *w, const float *g, float *m, float rate, float beta_1, float beta_2, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float direction = beta_1 * m[i] + (1.0f - beta_1) * g[i];
        float sign = (float)(direction > 0.0f) - (float)(direction < 0.0f);
        m[i] = beta_2 * m[i] + (1.0f - beta_2) * g[i];
        w[i] -= rate * sign;
    }
}

INLINE void NAME(rmsprop_loop)(float *w, const float *g, float *v, float *mean, float *m, float rate, float rho,
                               float momentum, float epsilon, size_t size, int centered, int with_momentum) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) {
        float square = rho * v[i] + (1.0f - rho) * g[i] * g[i], divisor = square;
        v[i] = square;
        if (centered) {
            float average = rho * mean[i] + (1.0f - rho) * g[i];
            mean[i] = average;
            divisor -= average * average;
            divisor = divisor < 0.0f ? 0.0f : divisor; /* a variance, but for rounding */
        }
        float u = rate * g[i] / sqrtf(divisor + epsilon);
        if (with_momentum) m[i] = u = momentum * m[i] + u;
        w[i] -= u;
    }
}

static TARGET void NAME(rmsprop)(float *w, const float *g, float *v, float *mean, float *m, float rate, float rho,
                                 float momentum, float epsilon, size_t size) {
    /* Four loops, each without a branch. */
    if (mean != NULL && m != NULL) NAME(rmsprop_loop)(w, g, v, mean, m, rate, rho, momentum, epsilon, size, 1, 1);
    else if (mean != NULL) NAME(rmsprop_loop)(w, g, v, mean, m, rate, rho, momentum, epsilon, size, 1, 0);
    else if (m != NULL) NAME(rmsprop_loop)(w, g, v, mean, m, rate, rho, momentum, epsilon, size, 0, 1);
    else NAME(rmsprop_loop)(w, g, v, mean, m, rate, rho, momentum, epsilon, size, 0, 0);
}

static TARGET void NAME(flush)(float *x, float threshold, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) x[i] = fabsf(x[i]) < threshold ? 0.0f : x[i];
}

/* --- Normalization: columns over the batch, or rows by themselves -------------------------------------------------------
 *
 * gamma and beta, one a column, may be NULL. Sums over the batch are taken row by row, so that columns stay vectors.
 */

static TARGET void NAME(batch_norm)(float *y, float *x_hat, float *mean, float *variance, float *scale, const float *x,
                                    const float *gamma, const float *beta, float epsilon, size_t n, size_t k) {
    float share = 1.0f / (float)n;
    for (size_t j = 0; j < k; j++) mean[j] = variance[j] = 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float *row = x + i * k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) mean[j] += row[j];
    }
    _Pragma("omp simd") for (size_t j = 0; j < k; j++) mean[j] *= share;
    for (size_t i = 0; i < n; i++) {
        const float *row = x + i * k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) variance[j] += (row[j] - mean[j]) * (row[j] - mean[j]);
    }
    _Pragma("omp simd") for (size_t j = 0; j < k; j++) {
        variance[j] *= share;
        scale[j] = 1.0f / sqrtf(variance[j] + epsilon);
    }
    for (size_t i = 0; i < n; i++) {
        const float *row = x + i * k;
        float *hat = x_hat + i * k, *out = y + i * k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) hat[j] = (row[j] - mean[j]) * scale[j];
        if (gamma != NULL) _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] = hat[j] * gamma[j];
        else memcpy(out, hat, k * sizeof(float));
        if (beta != NULL) _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] += beta[j];
    }
}

static TARGET void NAME(batch_norm_backward)(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x_hat,
                                             const float *gamma, const float *scale, size_t n, size_t k) {
    float share = 1.0f / (float)n;
    for (size_t j = 0; j < k; j++) dgamma[j] = dbeta[j] = 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float *slope = dy + i * k, *hat = x_hat + i * k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) {
            dgamma[j] += slope[j] * hat[j];
            dbeta[j] += slope[j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        const float *slope = dy + i * k, *hat = x_hat + i * k;
        float *out = dx + i * k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++)
            out[j] = scale[j] * (slope[j] - share * (dbeta[j] + hat[j] * dgamma[j]));
        if (gamma != NULL) _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] *= gamma[j];
    }
}

static TARGET void NAME(layer_norm)(float *y, float *x_hat, float *scale, const float *x, const float *gamma,
                                    const float *beta, float epsilon, size_t n, size_t k, int centered) {
    for (size_t i = 0; i < n; i++) {
        const float *row = x + i * k;
        float *hat = x_hat + i * k, *out = y + i * k, sum = 0.0f, squares = 0.0f;
        if (centered) _Pragma("omp simd reduction(+ : sum)") for (size_t j = 0; j < k; j++) sum += row[j];
        float mean = sum / (float)k;
        _Pragma("omp simd reduction(+ : squares)") for (size_t j = 0; j < k; j++)
            squares += (row[j] - mean) * (row[j] - mean);
        float factor = 1.0f / sqrtf(squares / (float)k + epsilon);
        scale[i] = factor;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) hat[j] = (row[j] - mean) * factor;
        if (gamma != NULL) _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] = hat[j] * gamma[j];
        else memcpy(out, hat, k * sizeof(float));
        if (beta != NULL) _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] += beta[j];
    }
}

static TARGET void NAME(layer_norm_backward)(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x_hat,
                                             const float *gamma, const float *scale, size_t n, size_t k, int centered) {
    for (size_t j = 0; j < k; j++) dgamma[j] = dbeta[j] = 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float *slope = dy + i * k, *hat = x_hat + i * k;
        float *out = dx + i * k, mean = 0.0f, along = 0.0f, factor = scale[i];
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) {
            dgamma[j] += slope[j] * hat[j];
            dbeta[j] += slope[j];
        }
        if (gamma != NULL) _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] = slope[j] * gamma[j];
        else memcpy(out, slope, k * sizeof(float));
        _Pragma("omp simd reduction(+ : mean, along)") for (size_t j = 0; j < k; j++) {
            mean += out[j];
            along += out[j] * hat[j];
        }
        mean = centered ? mean / (float)k : 0.0f;
        along /= (float)k;
        _Pragma("omp simd") for (size_t j = 0; j < k; j++) out[j] = factor * (out[j] - mean - hat[j] * along);
    }
}

/* --- Rows of a data set, and dropout --------------------------------------------------------------------------------- */

static TARGET void NAME(bytes_to_floats)(float *y, const uint8_t *x, size_t size) {
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) y[i] = (float)x[i];
}

static TARGET void NAME(rescale)(float *y, const float *x, float scale, float offset, size_t size) {
    /* Two loops, so that the product is rounded before the sum, as in NumPy: 255 / 127.5 - 1 is 1. */
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) y[i] = x[i] * scale;
    if (offset == 0.0f) return;
    _Pragma("omp simd") for (size_t i = 0; i < size; i++) y[i] += offset;
}

/* Philox4x32 with 10 rounds (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011): block number b of
 * stream `key` is four words, each the j-th of 16 neighbouring blocks' words beside each other, for the vectors' sake. */
static TARGET void NAME(dropout)(float *y, float *mask, const float *x, uint64_t key, uint64_t counter,
                                 uint32_t threshold, float scale, size_t size) {
    enum { BLOCKS = 16 };
    for (size_t start = 0; start < size; start += 4 * BLOCKS, counter += BLOCKS) {
        uint32_t word[4][BLOCKS];
        _Pragma("omp simd") for (int i = 0; i < BLOCKS; i++) {
            uint64_t block = counter + (uint64_t)i;
            uint32_t a = (uint32_t)block, b = (uint32_t)(block >> 32), c = 0, d = 0;
            uint32_t k = (uint32_t)key, l = (uint32_t)(key >> 32);
            for (int round = 0; round < 10; round++) {
                uint64_t p = (uint64_t)0xD2511F53u * a, q = (uint64_t)0xCD9E8D57u * c;
                a = (uint32_t)(q >> 32) ^ b ^ k;
                b = (uint32_t)q;
                c = (uint32_t)(p >> 32) ^ d ^ l;
                d = (uint32_t)p;
                k += 0x9E3779B9u;
                l += 0xBB67AE85u;
            }
            word[0][i] = a;
            word[1][i] = b;
            word[2][i] = c;
            word[3][i] = d;
        }
        const uint32_t *words = &word[0][0];
        size_t left = size - start < 4 * BLOCKS ? size - start : 4 * BLOCKS;
        _Pragma("omp simd") for (size_t i = 0; i < left; i++) {
            float factor = words[i] >= threshold ? scale : 0.0f;
            mask[start + i] = factor;
            y[start + i] = x[start + i] * factor;
        }
    }
}

/* How many rows have their largest value, the first of them, at their label; a NaN counts as largest, as in argmax. */
static TARGET size_t NAME(count_hits)(const float *y, const intptr_t *labels, size_t n, size_t k) {
    size_t hits = 0;
    for (size_t row = 0; row < n; row++, y += k) {
        size_t label = index_below(k, &labels[row]);
        float value = y[label];
        int beaten = 0;
        if (value != value) { /* the first NaN is what argmax finds */
            for (size_t j = 0; j < label; j++) beaten |= y[j] != y[j];
        } else {
            _Pragma("omp simd reduction(| : beaten)") for (size_t j = 0; j < label; j++) beaten |= !(y[j] < value);
            _Pragma("omp simd reduction(| : beaten)") for (size_t j = label; j < k; j++) beaten |= !(y[j] <= value);
        }
        hits += !beaten;
    }
    return hits;
}

/* Whether no number is infinite or NaN: those are the ones whose eight bits of exponent are all set. Looking at the bits
 * needs no arithmetic, whose flags a caller may have turned into errors. */

static TARGET int NAME(all_finite)(const float *x, size_t size) {
    const uint32_t exponent = 0x7F800000;
    int beyond = 0;
    _Pragma("omp simd reduction(| : beyond)") for (size_t i = 0; i < size; i++) {
        union { float f; uint32_t bits; } one = {x[i]};
        beyond |= (one.bits & exponent) == exponent;
    }
    return !beyond;
}

#include "_spline_loops.h"

static const loops NAME(loops) = {
    {NAME(add_bias), NAME(relu), NAME(sigmoid), NAME(tanh), NAME(softmax), NAME(selu), NAME(mish)},
    {NAME(relu_backward), NAME(sigmoid_backward), NAME(tanh_backward), NAME(softmax_backward),
     NAME(selu_backward), NAME(mish_backward)},
    NAME(sum_rows),
    NAME(sparse_softmax_cross_entropy),
    NAME(softmax_cross_entropy),
    NAME(sigmoid_binary_cross_entropy),
    NAME(sgd),
    NAME(momentum),
    NAME(adam),
    NAME(rmsprop),
    NAME(amsgrad),
    NAME(adamax),
    NAME(nadam),
    NAME(adagrad),
    NAME(adadelta),
    NAME(lion),
    NAME(sgd_of_doubles),
    NAME(adam_of_doubles),
    NAME(batch_norm),
    NAME(batch_norm_backward),
    NAME(layer_norm),
    NAME(layer_norm_backward),
    NAME(flush),
    NAME(bytes_to_floats),
    NAME(rescale),
    NAME(dropout),
    NAME(count_hits),
    NAME(all_finite),
    NAME(locate_row),
    NAME(splines),
    &NAME(wide_loops),
};

#undef INLINE
#undef FORWARD
#undef BACKWARD
#undef OF_RELU
#undef OF_SIGMOID
#undef OF_TANH
#undef SELU_SCALE
#undef SELU_DEPTH
#undef ROUNDING
#undef ROWS_AT_ONCE
#undef LONG_ROW
#undef ROUNDING_BITS
