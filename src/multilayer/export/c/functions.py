"""The helpers of a C file: products and activations, as C with the names `net_...` that take the file's own prefix.

`READ(table, place)` is one number of a table of constants. A processor that keeps these apart from its memory, as AVR
does, needs an instruction of its own for it. Only what has come with every C library is called, `expf`, `logf`, `sqrtf`
and `tanhf`: `expm1f`, `log1pf` and `erff` are missing in some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from multilayer.export.c.text import filled, real
from multilayer.functional import of_input

# --- Of each number by itself -----------------------------------------------------------------------------------------


class Elementwise(NamedTuple):
    """An activation of one number v.

    Attributes:
        formula: It as an expression. NaN stays NaN, as in NumPy.
        options: The names of its options in the order in which they are given to it, all numbers.
        needs: The helpers that it calls.
    """

    formula: str
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


ELEMENTWISE: Mapping[str, Elementwise] = {
    "celu": Elementwise("v > 0.0f ? v : alpha * net_expm1(v / alpha)", ("alpha",), ("expm1",)),
    "elu": Elementwise("v > 0.0f ? v : alpha * net_expm1(v)", ("alpha",), ("expm1",)),
    "exponential": Elementwise("expf(v)"),
    "gelu": Elementwise("0.5f * v * (1.0f + net_erf(v * 0.70710678f))", (), ("erf",)),
    "gelu_by_tanh": Elementwise("0.5f * v * (1.0f + tanhf(0.79788456f * (v + 0.044715f * v * v * v)))"),
    "hard_shrink": Elementwise("v >= -threshold && v <= threshold ? 0.0f : v", ("threshold",)),
    "hard_sigmoid": Elementwise("net_clip(v * 0.16666667f + 0.5f, 0.0f, 1.0f)", (), ("clip",)),
    "hard_silu": Elementwise("v * net_clip(v * 0.16666667f + 0.5f, 0.0f, 1.0f)", (), ("clip",)),
    "hard_tanh": Elementwise("net_clip(v, -1.0f, 1.0f)", (), ("clip",)),
    "keras2_hard_sigmoid": Elementwise("net_clip(v * 0.2f + 0.5f, 0.0f, 1.0f)", (), ("clip",)),
    "leaky_relu": Elementwise("v > 0.0f ? v : slope * v", ("slope",)),
    "log_sigmoid": Elementwise("-net_log1pexp(-v)", (), ("log1pexp",)),
    "mish": Elementwise("v * tanhf(net_log1pexp(v))", (), ("log1pexp",)),
    "relu": Elementwise("v < 0.0f ? 0.0f : v"),
    "relu6": Elementwise("net_clip(v, 0.0f, 6.0f)", (), ("clip",)),
    "relu_from": Elementwise("v > threshold ? v : slope * (v - threshold)", ("slope", "threshold")),
    "relu_between": Elementwise(
        "net_least(v > threshold ? v : slope * (v - threshold), most)", ("slope", "threshold", "most"), ("least",)
    ),
    "selu": Elementwise(
        f"{real(of_input.SELU_SCALE)} * (v > 0.0f ? v : {real(of_input.SELU_ALPHA)} * net_expm1(v))", (), ("expm1",)
    ),
    "sigmoid": Elementwise("1.0f / (1.0f + expf(-v))"),
    "silu": Elementwise("v / (1.0f + expf(-v))"),
    "soft_shrink": Elementwise("v - net_clip(v, -threshold, threshold)", ("threshold",), ("clip",)),
    "softplus": Elementwise("net_log1pexp(v)", (), ("log1pexp",)),
    "softsign": Elementwise("v / (1.0f + (v < 0.0f ? -v : v))"),
    "sparse_plus": Elementwise("v < -1.0f ? 0.0f : v < 1.0f ? 0.25f * (v + 1.0f) * (v + 1.0f) : v"),
    "sparse_sigmoid": Elementwise("net_clip(0.5f * (v + 1.0f), 0.0f, 1.0f)", (), ("clip",)),
    "squareplus": Elementwise("0.5f * (v + sqrtf(v * v + b))", ("b",)),
    "tanh": Elementwise("tanhf(v)"),
    "tanh_shrink": Elementwise("v - tanhf(v)"),
    "threshold": Elementwise("v > threshold ? v : otherwise", ("threshold", "otherwise")),
}


def elementwise(name: str) -> str:
    """The helper that is an activation of each of so many numbers; x and y may be the same."""
    one = ELEMENTWISE[name]
    options = "".join(f", float {option}" for option in one.options)
    return f"""\
static void net_{name}(const float *x, size_t size{options}, float *y)
{{
    for (size_t i = 0; i < size; i++) {{
        const float v = x[i];
        y[i] = {one.formula};
    }}
}}"""


# --- Along an axis ----------------------------------------------------------------------------------------------------

# The axis has `size` numbers, `inner` apart, and there are `outer` times `inner` such runs. x and y may be the same.
_ALONG = """\
static void net_{name}(const float *x, size_t outer, size_t size, size_t inner, float *y)
{{
    for (size_t i = 0; i < outer; i++, x += size * inner, y += {given} * inner) {{
        for (size_t k = 0; k < inner; k++) {{
{body}
        }}
    }}
}}"""
_LARGEST = """\
            float most = x[k];
            float sum = 0.0f;
            for (size_t j = 1; j < size; j++) {
                const float v = x[j * inner + k];
                most = v > most ? v : most;
            }
"""
ALONG: Mapping[str, str] = {
    "softmax": _LARGEST
    + """\
            for (size_t j = 0; j < size; j++) {
                const float power = expf(x[j * inner + k] - most);
                y[j * inner + k] = power;
                sum += power;
            }
            for (size_t j = 0; j < size; j++) {
                y[j * inner + k] /= sum;
            }""",
    "log_softmax": _LARGEST
    + """\
            for (size_t j = 0; j < size; j++) {
                sum += expf(x[j * inner + k] - most);
            }
            sum = logf(sum);
            for (size_t j = 0; j < size; j++) {
                y[j * inner + k] = x[j * inner + k] - most - sum;
            }""",
    # The numbers above tau are those that stay: each round raises it and leaves fewer, until all stay. With the largest
    # at 0, none is lost by rounding.
    "sparsemax": """\
            float most = x[k];
            float tau = 0.0f;
            size_t count = 0;
            size_t before;
            for (size_t j = 1; j < size; j++) {
                const float v = x[j * inner + k];
                most = v > most ? v : most;
            }
            do {
                const float last = tau;
                float sum = -1.0f;
                before = count;
                count = 0;
                for (size_t j = 0; j < size; j++) {
                    const float v = x[j * inner + k] - most;
                    if (before == 0 || v > last) {
                        sum += v;
                        count++;
                    }
                }
                if (count == 0) {
                    break; /* NaN: tau is that already, and so will be all of y */
                }
                tau = sum / (float)count;
                if (before != 0 && tau < last) {
                    tau = last;
                }
            } while (count != before);
            for (size_t j = 0; j < size; j++) {
                const float v = x[j * inner + k] - most - tau;
                y[j * inner + k] = v < 0.0f ? 0.0f : v;
            }""",
    "glu": """\
            for (size_t j = 0; j < size / 2u; j++) {
                const float gate = x[(j + size / 2u) * inner + k];
                y[j * inner + k] = x[j * inner + k] / (1.0f + expf(-gate));
            }""",
}


def along(name: str) -> str:
    """The helper that is an activation along an axis."""
    return _ALONG.format(name=name, body=ALONG[name], given="size / 2u" if name == "glu" else "size")


# Bytes of the tables that are in helpers.
CONSTANTS: Mapping[str, int] = {"erf": 13 * 4}

# --- Helpers of helpers, and products ---------------------------------------------------------------------------------

HELPERS: Mapping[str, str] = {
    "clip": """\
static float net_clip(float v, float least, float most)
{
    return v < least ? least : v > most ? most : v;
}""",
    "least": """\
static float net_least(float v, float most)
{
    return v > most ? most : v;
}""",
    # Kahan's way: what rounding does to u it does to the logarithm, too, and both errors cancel.
    "expm1": """\
static float net_expm1(float v)
{
    const float u = expf(v);
    return v < -20.0f || v > 1.0f ? u - 1.0f : u == 1.0f ? v : (u - 1.0f) * v / logf(u);
}""",
    "log1pexp": """\
static float net_log1pexp(float v)
{
    const float power = expf(v < 0.0f ? v : -v);
    const float u = 1.0f + power;
    const float rest = u - 1.0f;
    return (v < 0.0f ? 0.0f : v) + (rest > 0.0f ? logf(u) * (power / rest) : power);
}""",
    # erfc(v) = t exp(-v^2) g(u), with g by the recurrence of Clenshaw for a series of Chebyshev's polynomials.
    "erf": f"""\
static float net_erf(float v)
{{
    static const float series[13] = {{
{filled((real(one) for one in of_input._ERFCX[:13]), " " * 8)}
    }};
    const float size = v < 0.0f ? -v : v;
    const float t = 2.0f / (2.0f + size);
    const float u = 2.0f * t - 1.0f;
    float b1 = 0.0f;
    float b2 = 0.0f;
    for (size_t i = 12; i > 0; i--) {{
        const float b = 2.0f * u * b1 - b2 + series[i];
        b2 = b1;
        b1 = b;
    }}
    b1 = 1.0f - t * expf(-size * size) * (u * b1 - b2 + series[0]);
    return v < 0.0f ? -b1 : b1;
}}""",
    # Sums are taken in runs of 32: of several short sums less is lost by rounding than of a long one.
    "dense": """\
static void net_dense(const float *x, size_t rows, size_t inputs, size_t units, const float *kernel, const float *bias,
                      float *y)
{
    for (size_t row = 0; row < rows; row++, x += inputs, y += units) {
        for (size_t unit = 0; unit < units; unit++) {
            const float *weights = kernel + unit * inputs;
            float sum = bias ? READ(bias, unit) : 0.0f;
            for (size_t i = 0; i < inputs;) {
                const size_t end = inputs - i < 32u ? inputs : i + 32u;
                float part = 0.0f;
                for (; i < end; i++) {
                    part += x[i] * READ(weights, i);
                }
                sum += part;
            }
            y[unit] = sum;
        }
    }
}""",
}
