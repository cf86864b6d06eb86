"""One or several calls of each operation, as a program would write them; x is what is differentiated by.

`python tests/ops/record.py` has Keras evaluate them, `test_ops.py` this library.
"""

import numpy as np

INPUTS = {
    "x": np.array([[0.5, -1.25, 2.0], [0.75, 3.5, -0.5]], np.float32),
    "y": np.array([[1.5, 0.25, -2.0], [-0.5, 1.0, 2.5]], np.float32),
    "p": np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], np.float32),
    "u": np.array([[0.25, -0.5, 0.75], [0.125, -0.875, 0.5]], np.float32),
    "i": np.array([[3, -1, 2], [0, 5, 4]], np.int32),
    "j": np.array([[1, 2, 3], [3, 2, 1]], np.int32),
    "b": np.array([[True, False, True], [False, False, True]]),
    "t": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], np.float32),
    "n": np.array([[1.0, np.nan, 3.0], [np.nan, 2.0, 0.5]], np.float32),
    "e": np.array([[np.inf, -np.inf, np.nan], [0.0, 1.0, -np.inf]], np.float32),
    "a": np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]], np.float32),
}

# Of one array, number by number: of real numbers, whole numbers and truth values, for the types of their results.
OF_REAL = """
    exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh sinc deg2rad rad2deg cbrt fabs reciprocal
    relu relu6 sigmoid log_sigmoid softplus softsign silu swish selu hard_sigmoid hard_silu hard_swish hard_tanh
    sparse_plus sparse_sigmoid tanh_shrink elu celu gelu leaky_relu hard_shrink soft_shrink squareplus erf erfc
    absolute abs negative sign square ceil floor trunc round
    isnan isfinite isinf isneginf isposinf isreal signbit logical_not
    sum prod mean var std cumsum cumprod max min amax amin ptp argmax argmin sort argsort median
    all any count_nonzero ravel transpose squeeze flip fliplr flipud tril triu diag diagflat diagonal trace diff
    copy conj conjugate real imag angle ones_like zeros_like array convert_to_numpy logsumexp softmax log_softmax
    nansum nanprod nanmean nanvar nanstd nanmax nanmin nancumsum nancumprod
"""

# Refused by Keras on JAX; `hard_tanh` is refused by none, and gives real numbers here.
REFUSED = {
    "i": "sigmoid silu swish erf hard_tanh",
    "b": "hard_tanh sigmoid silu swish erf log_sigmoid round softmax log_softmax sign negative ptp diff nanmax nanmin",
}

CALLS = """
    arccosh(p + 1) | sqrt(x * x) | log(x * x) | erfinv(x / 4) | logdet(a) | arcsin(x / 4) | rsqrt(x * x)
    # Of two.
    power(x * x, y) | power(x, 3) | divide_no_nan(x, t) | divide_no_nan(i, j) | ldexp(x, j) | isclose(x, x + 1e-9)
    allclose(x, y) | where(b, x, y) | where(b, x, 0) | where(b, 1, 2) | where(b, 1.0, i) | where(b)
    select([b, x > 1], [x, y], 0.5) | clip(x, -1, 1) | clip(i, 0, 3) | nan_to_num(e) | nan_to_num(x, nan=1.0)
    nan_to_num(n, nan=7.0) | round(x, 1) | where(x > 0, x, x * x) | add([1, 2, 3], x) | add(1, 2.5) | exp(1)
    # Over axes.
    nanquantile(n, 0.25, axis=1) | nanpercentile(n, [25, 50], axis=1) | average(x, axis=1)
    average(x, axis=1, weights=[1.0, 2.0, 3.0]) | max(x, axis=1, initial=1.0) | min(x, initial=-1.0)
    quantile(x, 0.3) | quantile(x, [0.25, 0.6], axis=1) | quantile(x, 0.3, axis=1, method='lower')
    quantile(x, 0.3, axis=1, method='nearest') | quantile(x, 0.3, axis=1, method='midpoint')
    percentile(x, 30, axis=0) | percentile(x, 30, axis=0, method='higher') | trapezoid(x, axis=1)
    trapezoid(x, dx=2.0) | trapezoid(x, x=[0.0, 1.0, 3.0]) | sort(x, axis=0) | argsort(x, axis=0)
    argpartition(array([3, 1, 2]), 1) | count_nonzero(i, axis=0) | all(b, axis=0) | any(b, axis=1)
    bincount(array([0, 1, 1, 3])) | bincount(array([0, 1, 1, 3]), weights=array([1.0, 2.0, 3.0, 4.0]))
    bincount(array([0, 1]), minlength=4) | bincount(j) | histogram(x[0], bins=4) | digitize(x, np.array([0.0, 1.0]))
    searchsorted([1, 3, 5], [2, 3, 9]) | searchsorted([1, 3, 5], [2, 3, 9], side='right') | unique([3, 1, 1, 2])
    unique([3, 1, 1], return_index=True, return_inverse=True, return_counts=True) | unique([3, 1, 1], size=3)
    # Shapes.
    reshape(x, (3, 2)) | reshape(x, -1) | transpose(x, (1, 0)) | expand_dims(x, 1) | expand_dims(x, (0, -1))
    broadcast_to(x, (2, 2, 3)) | swapaxes(x, 0, 1) | moveaxis(x, 0, -1) | flip(x, axis=1) | rot90(x) | rot90(x, 3)
    roll(x, 1) | roll(x, 1, axis=1) | tile(x, (2, 1)) | tile(x, 2) | repeat(x, 2) | repeat(x, 2, axis=1)
    repeat(x, array([1, 2]), axis=0) | pad(x, ((1, 0), (0, 2))) | pad(x, 1, mode='reflect')
    pad(x, 1, constant_values=2) | squeeze(expand_dims(x, 0), axis=0) | concatenate([x, y], axis=-1)
    concatenate([x, i]) | append(x, y) | append(x, y, axis=1) | stack([x, y], axis=1) | stack([x, x])
    vstack([x, y]) | hstack([x, y]) | dstack([x, y]) | split(x, 3, axis=1) | split(x, [1], axis=1)
    array_split(x, 2, axis=1) | vsplit(x, 2) | hsplit(x, 3) | dsplit(expand_dims(x, 0), 3) | unstack(x)
    unstack(x, axis=1) | take(x, [2, 0, 0], axis=1) | take(x, [5, 0]) | take(x, -1, axis=1)
    take_along_axis(x, [[0], [2]], axis=1) | get_item(x, 1) | slice(x, [0, 1], [2, 2]) | slice(x, [1, 0], [-1, -1])
    slice_update(x, [0, 1], array([[9.0, 8.0]])) | slice_update(y, [0, 0], x) | tril(x, -1) | triu(x, 1)
    diag([1.0, 2.0]) | diagonal(x, 1) | trace(x, offset=1) | diff(x, axis=0) | diff(x, n=2) | nonzero(b)
    isin(i, [2, 5]) | unravel_index([4, 1], (2, 3)) | view(x, 'int32') | correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    scatter(array([[0], [2], [0]]), array([1.0, 2.0, 4.0]), (4,)) | scatter(array([[0], [2]]), x, (3, 3))
    scatter_update(x, [[0, 1]], [5.0]) | scatter_update(x, [[0, 1], [1, 1]], [5.0, 6.0], 'add')
    scatter_update(x, [[0, 1]], [5.0], 'max') | scatter_update(x, [[0, 1]], [-5.0], 'min')
    scatter_update(x, [[0, 1]], [5.0], 'mul')
    # Made.
    zeros((2, 2)) | ones(3, 'int32') | empty((1,)) * 0 | full((2,), 7) | full((2,), 7.5) | full_like(x, 2)
    empty_like(x) * 0 | zeros_like(i) | ones_like(x, dtype='int32') | eye(3) | eye(2, 3, 1) | identity(2) | tri(3)
    arange(3) | arange(1, 2, 0.25) | arange(3, dtype='float32') | linspace(0, 1, 5)
    linspace(0.0, 1.0, 4, endpoint=False, retstep=True) | logspace(0, 2, 3) | geomspace(1, 8, 4)
    meshgrid(array([1, 2]), array([3.0, 4.0, 5.0])) | meshgrid(array([1, 2]), array([3, 4]), indexing='ij')
    bartlett(5) | blackman(5) | hamming(5) | hanning(5) | kaiser(5, 8.0) | vander(array([1.0, 2.0, 3.0]))
    vander(x[0], 2, True) | saturate_cast(array([-300.0, 0.5, 300.0]), 'uint8')
    saturate_cast(array([-300, 300]), 'int8') | cast(x, 'int32') | cast(i, 'float32') | cast(b, 'float32')
    convert_to_tensor(1.0) | convert_to_tensor([1, 2]) | convert_to_tensor(x) | convert_to_tensor(True)
    array([1.5, 2]) | one_hot([0, 2, -1], 3) | one_hot([[0, 1]], 2, axis=0) | one_hot([1], 2, dtype='int32')
    multi_hot([[0, 2], [1, 1]], 3) | multi_hot([0, 2], 4)
    # Products and matrices.
    matmul(x, transpose(y)) | matmul(i, transpose(j)) | matmul(x, transpose(i)) | dot(x, [1.0, 2.0, 3.0])
    inner(x, y) | outer(x, y[0]) | vdot(x, y) | tensordot(x, y, axes=[[1], [1]]) | einsum('ij,kj->ik', x, y)
    einsum('ij->j', x) | cross(x, y) | kron(x, [[1.0, 2.0]]) | corrcoef(x) | inv(a)
    inv(a + matmul(transpose(x), x)) | solve(a, [1.0, 2.0, 3.0]) | solve(a, transpose(x))
    solve_triangular(a, transpose(x), lower=True) | solve_triangular(a, transpose(x)) | lstsq(a, [1.0, 2.0, 3.0])
    det(a) | det(matmul(x, transpose(x))) | slogdet(a) | logdet(a + matmul(transpose(x), x)) | pinv(a)
    matrix_rank(a) | norm(x) | norm(x, axis=1) | norm(x, ord=1, axis=1) | norm(x, ord=np.inf, axis=1)
    norm(x, ord=3, axis=0, keepdims=True) | norm(a, ord='nuc') | cholesky(a) | cholesky(a, upper=True)
    cholesky(a + matmul(transpose(x), x)) | cholesky_inverse(cholesky(a)) | eigh(a)[0]
    eigh(a + matmul(transpose(x), x))[0] | square(eigh(a + matmul(transpose(x), x))[1]) | abs(qr(a)[0])
    svd(a, compute_uv=False) | lu_factor(a) | real(eig(a)[0]) * 0 | cdist(x, y)
    view_as_real(view_as_complex([[1.0, 2.0]])) | real(polar([2.0], [0.5]))
    # Networks.
    gelu(x, approximate=False) | glu(reshape(x, (3, 2))) | elu(x, alpha=0.5) | celu(x, alpha=2.0)
    leaky_relu(x, 0.1) | threshold(x, 0.6, 0.1) | squareplus(x, b=1) | sparsemax(x) | softmax(x, axis=0)
    softmax(e[1]) | log_softmax(x, axis=0) | logsumexp(x, axis=1) | logsumexp(e[1]) | normalize(x)
    normalize(x, axis=0, order=1) | normalize(x, order=3) | normalize(zeros_like(x)) | moments(x, axes=[0])
    moments(x, [0, 1], keepdims=True) | batch_normalization(x, p[0], p[1], -1, offset=y[0], scale=y[1])
    layer_normalization(x) | layer_normalization(x, gamma=y[0], beta=y[1], epsilon=0.1)
    rms_normalization(x, scale=y[0]) | psnr(x, y, 4.0) | categorical_crossentropy(t, x, from_logits=True)
    categorical_crossentropy(t, p) | categorical_crossentropy(t, softmax(x))
    sparse_categorical_crossentropy([2, 0], x, from_logits=True) | sparse_categorical_crossentropy([[2], [5]], p)
    sparse_categorical_crossentropy([2, 0], softmax(x)) | binary_crossentropy(t, x, from_logits=True)
    binary_crossentropy(t, sigmoid(x)) | binary_crossentropy(t, p) | top_k(x, 2) | top_k(array([1, 3, 3]), 2)
    in_top_k(array([1, 0]), x, 1) | segment_sum(x, array([1, 1]), 3)
    segment_sum(array([1, 2, 3]), array([0, 0, 1]), 2) | segment_max(x, array([1, 1]), 2)
    segment_min(x, array([0, 1]), 2) | segment_prod(x, array([1, 1]), 2)
    segment_sum(transpose(x), array([0, 1, 0]), num_segments=2)
    # Branches and loops.
    cond(True, lambda: x * 2, lambda: x) | cond(x[0, 0] > 1, lambda: x * 2, lambda: x * 3)
    switch(1, [lambda x: x, lambda x: x * x], x) | map(lambda row: row * row, x)
    vectorized_map(lambda row: sum(row * row), x) | scan(lambda c, row: (c + row, c * row), y[0], x)
    scan(lambda c, row: (c + row, c * row), y[0], x, reverse=True) | associative_scan(lambda a, b: a + b, x)
    associative_scan(lambda a, b: a * b, x, reverse=True, axis=1) | fori_loop(0, 3, lambda i, v: v * x, x)
    while_loop(lambda k, v: k < 3, lambda k, v: (k + 1, v + v), (0, y))[1] | stop_gradient(x) * x | shape(x)
    ndim(x) | size(x) | dtype(x) == 'float32' | is_tensor([1.0]) | vectorize(lambda v: v + 1)([1.0, 2.0])
    custom_gradient(lambda x: (x * x, lambda *args, upstream=None: (args[0] if upstream is None else upstream) * 5))(x)
    jvp(lambda z: z * z, (x,), (y,))
"""


def each(names, *calls):
    """Each of several operations in each of several calls."""
    return [call.replace("f", name, 1) for name in names.split() for call in calls]


TWO = ("f(x, y)", "f(x, i)", "f(i, j)", "f(x, 2)", "f(i, 2)", "f(i, 2.5)", "f(b, x)")

EXPRESSIONS = [
    *(one for kind in "xib" for one in each(OF_REAL, f"f({kind})") if one[:-3] not in REFUSED.get(kind, "").split()),
    *each("log log2 log10 log1p sqrt rsqrt i0", "f(p)"),
    *each("arcsin arccos arctanh erfinv", "f(u)"),
    *each("bitwise_not bitwise_invert log1p sqrt", "f(i)"),
    *each("add subtract multiply maximum minimum divide true_divide mod floor_divide", *TWO),
    *each("equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor", *TWO),
    *each("power", "f(i, j)", "f(x, 2)", "f(i, 2)", "f(i, 2.5)"),
    *each("fmax fmin arctan2 hypot logaddexp logaddexp2 heaviside nextafter fmod", "f(x, y)"),
    *each("gcd lcm bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift", "f(i, j)"),
    *each("left_shift right_shift arctan2 logaddexp", "f(i, j)"),
    *each("sum prod mean var std max min amax amin ptp argmax argmin", "f(x, axis=0)", "f(x, axis=-1)"),
    *each("median cumsum cumprod", "f(x, axis=0)", "f(x, axis=-1)"),
    *each("sum prod mean var std max min median logsumexp softmax", "f(x, axis=(0, 1))"),
    *each("sum prod mean var std max argmax ptp logsumexp any", "f(x, axis=1, keepdims=True)"),
    *each("nansum nanprod nanmean nanvar nanstd nanmax nanmin nanmedian", "f(n, axis=0)"),
    *each("nanargmax nanargmin nancumsum nancumprod nanmedian", "f(n, axis=1)"),
    *(one.strip() for line in CALLS.splitlines() if "#" not in line for one in line.split(" | ") if one),
]

# What is a constant here, though Keras goes back through it.
CONSTANTS = ["histogram(x[0], bins=4)"]
