/* Sums of linear splines, a part of _loops.h: included once for each kind of processor, with what _wide.h is included with. */

#define SIDE_BY_SIDE (STRIP_OF_SPLINES / LANES) /* vectors */
#define TOGETHER (LANES / 4) /* rows, so that there are eight sums in registers: each addition waits for the one before */

/* Where a number lies among the knots of its column: so far from the lower one to the upper one. */
INLINE located NAME(locate)(float x, const float *low, const float *factor, size_t bins, uint32_t first) {
    const float *at = low; /* the last of the bins that x has reached the beginning of; nothing for the processor to guess */
    for (size_t left = bins, half = left / 2; half > 0; left -= half, half = left / 2) at += x >= at[half] ? half : 0;
    uint32_t bin = (uint32_t)(at - low);
    float way = bins == 0 ? 0.0f : (x - low[bin]) * factor[bin];
    way = way < 0.0f ? 0.0f : way; /* a NaN stays one */
    way = way > 1.0f ? 1.0f : way;
    return (located){(first + bin) * STRIP_OF_SPLINES, (first + bin + (bins > 0)) * STRIP_OF_SPLINES, way};
}

static TARGET void NAME(locate_row)(located *at, const float *x, const float *low, const float *factor, const uint32_t *bins, size_t d) {
    uint32_t first = 0; /* of the column's knots, of which there is one more than bins */
    for (size_t c = 0; c < d; first += bins[c] + 1, low += bins[c], factor += bins[c], c++) {
        if (first + bins[c] + 1 > MOST_KNOTS) first = 0;
        at[c] = NAME(locate)(x[c], low, factor, bins[c], first);
    }
}

/* y = base + for every column a line between two of the packed knots; some rows of a strip. */
INLINE void NAME(add_up)(float *y, const float *base, const float *room, size_t h, const located *at, size_t at_row, size_t d,
                         size_t columns, const int rows) {
    NAME(lanes) sum[TOGETHER][SIDE_BY_SIDE];
    float strip[STRIP_OF_SPLINES] = {0};
    UNROLL for (int i = 0; i < rows; i++) {
        const float *from = base == NULL ? NULL : base + (size_t)i * h;
        if (columns < STRIP_OF_SPLINES && from != NULL) from = memcpy(strip, from, columns * sizeof(float));
        UNROLL for (int j = 0; j < SIDE_BY_SIDE; j++)
            sum[i][j] = from == NULL ? (NAME(lanes)){0} : *(const NAME(lanes) *)(from + j * LANES);
    }
    for (size_t c = 0; c < d; c++) {
        UNROLL for (int i = 0; i < rows; i++) {
            const located *one = at + (size_t)i * at_row + c;
            const float *low = room + one->low, *high = room + one->high, way = one->way, rest = 1.0f - way;
            UNROLL for (int j = 0; j < SIDE_BY_SIDE; j++) ADD_TIMES(sum[i][j], rest, *(const NAME(lanes) *)(low + j * LANES));
            UNROLL for (int j = 0; j < SIDE_BY_SIDE; j++) ADD_TIMES(sum[i][j], way, *(const NAME(lanes) *)(high + j * LANES));
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        float *to = columns < STRIP_OF_SPLINES ? strip : y + (size_t)i * h;
        UNROLL for (int j = 0; j < SIDE_BY_SIDE; j++) *(NAME(lanes) *)(to + j * LANES) = sum[i][j];
        if (to == strip) memcpy(y + (size_t)i * h, strip, columns * sizeof(float));
    }
}

/* The same for n rows, and what the knots have of these columns of values packed, so that it lies in the nearest cache. */
static TARGET void NAME(splines)(float *y, const float *base, const float *values, size_t h, const located *at, size_t at_row,
                                 size_t n, size_t d, size_t knots, size_t columns) {
    _Alignas(64) float room[MOST_KNOTS * STRIP_OF_SPLINES];
    if (columns < STRIP_OF_SPLINES) memset(room, 0, knots * STRIP_OF_SPLINES * sizeof(float));
    for (size_t k = 0; k < knots; k++) memcpy(room + k * STRIP_OF_SPLINES, values + k * h, columns * sizeof(float));
    for (; n >= TOGETHER; n -= TOGETHER, y += TOGETHER * h, at += TOGETHER * at_row, base += base == NULL ? 0 : TOGETHER * h)
        NAME(add_up)(y, base, room, h, at, at_row, d, columns, TOGETHER);
    for (; n > 0; n--, y += h, at += at_row, base += base == NULL ? 0 : h)
        NAME(add_up)(y, base, room, h, at, at_row, d, columns, 1);
}

#undef TOGETHER
#undef SIDE_BY_SIDE
