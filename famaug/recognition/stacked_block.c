/* The first block of STSTNet (convolution, ReLU, max pooling, dropout, average pooling) for many
 * trainings at once; stacked_native.py compiles and calls it, stacked_conv.py does the same with
 * torch alone.
 *
 * Four samples make a group. Their 3 x 3 patches lie in blocks of 9 vectors of 16 positions. The
 * first 25 blocks hold the 9 taps of the 4 x 100 pooling windows, so the maximum is taken between
 * vectors; the last two hold the positions that no window sees, and zeros. A filter pair's outputs
 * in a block stay in registers. The gradient computes them again, which is cheaper than to keep
 * them: with it, every position costs one multiplication with the patch and one more.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t v16i __attribute__((vector_size(64)));

/* Loads once what two products use: compilers load it for each, and loads are what is scarce. */
#if defined(__AVX512F__)
#define IN_REGISTER(x) __asm__("" : "+v"(x))
#else
#define IN_REGISTER(x) (void)0
#endif

/* One where the mask is set, else the other. */
static inline v16 pick(v16i where, v16 one, v16 other)
{
    return (v16)((where & (v16i)one) | (~where & (v16i)other));
}

enum {
    VALUES = 28,    /* 27 of a patch, and a one for the bias */
    TAPS = 9,
    WINDOWS = 100,  /* 4 parts x 25 cells of the average pooling */
    CELLS = 25,
    LOOSE = 59,     /* positions that no window sees */
    POSITIONS = TAPS * WINDOWS + LOOSE,
    FILTERS = 16,
    GROUP = 4,
    POOLED = GROUP * WINDOWS / 16,
    BLOCKS = POOLED + 2,
};

typedef v16 block[VALUES][TAPS];

typedef struct {
    const uint8_t *table;   /* samples x VALUES x POSITIONS */
    const int64_t *items;   /* which samples make the batch */
    const uint8_t *member;  /* trainings x samples: who sees what */
    const float *dropout;   /* FILTERS x samples x WINDOWS */
    const uint8_t *inside;  /* TAPS x WINDOWS: is there a position of the map? */
    const float *sign;      /* trainings x FILTERS: 1, or -1 where pooling takes the smallest */
    int64_t samples, first, last; /* of the batch; trainings from first up to last */
} batch;

static void lay_out(const batch *b, int64_t start, block *p)
{
    memset(p, 0, sizeof(block) * BLOCKS);
    float *out = (float *)p;
    for (int s = 0; s < GROUP && start + s < b->samples; s++) {
        const uint8_t *from = b->table + b->items[start + s] * VALUES * POSITIONS;
        for (int k = 0; k < VALUES; k++, from += POSITIONS) {
            for (int t = 0; t < TAPS; t++)
                for (int w = 0; w < WINDOWS; w++) {
                    int place = s * WINDOWS + w;
                    out[((place / 16 * VALUES + k) * TAPS + t) * 16 + place % 16] =
                        from[t * WINDOWS + w];
                }
            for (int q = 0; q < LOOSE; q++) {
                int place = s * LOOSE + q, vector = place / 16;
                int at = ((POOLED + vector / TAPS) * VALUES + k) * TAPS + vector % TAPS;
                out[at * 16 + place % 16] = from[TAPS * WINDOWS + q];
            }
        }
    }
}

/* Zero where a training does not see the sample; returns whether it sees them all. */
static int keep_mask(const batch *b, int64_t run, int64_t start, v16 keep[BLOCKS][TAPS])
{
    const uint8_t *seen = b->member + run * b->samples + start;
    float weight[GROUP + 1] = {0}; /* the last: places beyond all samples */
    int count = 0, every = 1;
    for (; count < GROUP && start + count < b->samples; count++) {
        weight[count] = seen[count];
        every &= seen[count];
    }
    if (every)
        return 1;
    for (int j = 0; j < BLOCKS; j++)
        for (int t = 0; t < TAPS; t++)
            for (int i = 0; i < 16; i++) {
                int sample = j < POOLED ? (j * 16 + i) / WINDOWS
                                        : (((j - POOLED) * TAPS + t) * 16 + i) / LOOSE;
                keep[j][t][i] = weight[sample < GROUP ? sample : GROUP];
            }
    return 0;
}

/* relu(w . patch) of two filters in a block. */
static inline void outputs(const block *p, const float *w, const v16 *keep, v16 y[2][TAPS])
{
    v16 a[TAPS], b[TAPS];
    for (int t = 0; t < TAPS; t++)
        a[t] = b[t] = (v16){0};
    for (int k = 0; k < VALUES; k++)
#pragma GCC unroll 9
        for (int t = 0; t < TAPS; t++) {
            v16 x = (*p)[k][t];
            IN_REGISTER(x);
            a[t] += w[k] * x;
            b[t] += w[VALUES + k] * x;
        }
#pragma GCC unroll 9
    for (int t = 0; t < TAPS; t++) {
        y[0][t] = (v16)((v16i)a[t] & (a[t] > 0));
        y[1][t] = (v16)((v16i)b[t] & (b[t] > 0));
        if (keep) {
            y[0][t] *= keep[t];
            y[1][t] *= keep[t];
        }
    }
}

/* The largest of the taps (the smallest where sign is negative) and which it is, -1 at 0. */
static inline v16 largest(const v16 y[TAPS], float sign, const v16i inside[TAPS], int8_t *taps)
{
    v16 best = y[0];
    v16i tap = {0};
    if (sign < 0) {
        const v16 never = (v16){0} - INFINITY;
        best = pick(inside[0], -y[0], never);
        for (int t = 1; t < TAPS; t++) {
            v16 turned = pick(inside[t], -y[t], never);
            v16i more = turned > best;
            best = pick(more, turned, best);
            tap = (more & t) | (~more & tap);
        }
        best = -best;
    } else {
#pragma GCC unroll 8
        for (int t = 1; t < TAPS; t++) {
            v16i more = y[t] > best;
            best = pick(more, y[t], best);
            tap = (more & t) | (~more & tap);
        }
    }
    tap |= ~(best > 0);
    for (int i = 0; i < 16; i++)
        taps[i] = (int8_t)tap[i];
    return best;
}

static double sum_of(v16 x)
{
    double total = 0;
    for (int i = 0; i < 16; i++)
        total += x[i];
    return total;
}

static void inside_mask(const batch *b, v16i inside[POOLED][TAPS])
{
    for (int j = 0; j < POOLED; j++)
        for (int t = 0; t < TAPS; t++)
            for (int i = 0; i < 16; i++)
                inside[j][t][i] = b->inside[t * WINDOWS + (j * 16 + i) % WINDOWS] ? -1 : 0;
}

/* weights: trainings x FILTERS x VALUES. To pooled: trainings x samples x FILTERS x CELLS; taps:
 * trainings x FILTERS x groups x 400; total and squares: trainings x FILTERS, to be zero before.
 * space: room for BLOCKS blocks, aligned to 64 bytes. */
void forward(const batch *b, const float *weights, float *pooled, int8_t *taps, double *total,
             double *squares, block *space)
{
    int64_t groups = (b->samples + GROUP - 1) / GROUP;
    v16i inside[POOLED][TAPS];
    v16 keep[BLOCKS][TAPS], best[FILTERS][POOLED];
    inside_mask(b, inside);
    for (int64_t g = 0; g < groups; g++) {
        int64_t start = g * GROUP;
        lay_out(b, start, space);
        for (int64_t run = b->first; run < b->last; run++) {
            int every = keep_mask(b, run, start, keep);
            v16 sum[FILTERS] = {{0}}, square[FILTERS] = {{0}};
            for (int j = 0; j < BLOCKS; j++)
                for (int f = 0; f < FILTERS; f += 2) {
                    int64_t row = run * FILTERS + f;
                    v16 y[2][TAPS];
                    outputs(space + j, weights + row * VALUES, every ? 0 : keep[j], y);
                    for (int i = 0; i < 2; i++) {
                        v16 s = (v16){0}, q = (v16){0};
#pragma GCC unroll 9
                        for (int t = 0; t < TAPS; t++) {
                            s += y[i][t];
                            q += y[i][t] * y[i][t];
                        }
                        sum[f + i] += s;
                        square[f + i] += q;
                        if (j < POOLED)
                            best[f + i][j] = largest(
                                y[i], b->sign[row + i], inside[j],
                                taps + (((row + i) * groups + g) * POOLED + j) * 16);
                    }
                }
            for (int f = 0; f < FILTERS; f++) {
                int64_t row = run * FILTERS + f;
                total[row] += sum_of(sum[f]);
                squares[row] += sum_of(square[f]);
                for (int s = 0; s < GROUP && start + s < b->samples; s++) {
                    const float *value = (const float *)best[f] + s * WINDOWS;
                    const float *drop = b->dropout + (f * b->samples + start + s) * WINDOWS;
                    float *out =
                        pooled + ((run * b->samples + start + s) * FILTERS + f) * CELLS;
                    for (int c = 0; c < CELLS; c++)
                        out[c] = 0.25f * (value[c] * drop[c] + value[c + 25] * drop[c + 25] +
                                          value[c + 50] * drop[c + 50] +
                                          value[c + 75] * drop[c + 75]);
                }
            }
        }
    }
}

/* The gradient of two filters in a block: theirs plus `lift + slope y` wherever y > 0, times the
 * patches, into sums. */
static inline void gradient(const block *p, v16 y[2][TAPS], const float *lift, const float *slope,
                            const v16 *up, const int8_t *taps[2], v16 sums[2][VALUES])
{
    for (int i = 0; i < 2; i++) {
        v16i tap = (v16i){0} - 1;
        if (taps[0])
            for (int n = 0; n < 16; n++)
                tap[n] = taps[i][n];
#pragma GCC unroll 9
        for (int t = 0; t < TAPS; t++) {
            v16 d = (v16)((v16i)(lift[i] + slope[i] * y[i][t]) & (y[i][t] > 0));
            y[i][t] = d + (v16)((v16i)up[i] & (tap == t));
        }
    }
    for (int k = 0; k < VALUES; k += 4) {
        v16 a[4], c[4];
        for (int n = 0; n < 4; n++) {
            a[n] = sums[0][k + n];
            c[n] = sums[1][k + n];
        }
#pragma GCC unroll 9
        for (int t = 0; t < TAPS; t++)
#pragma GCC unroll 4
            for (int n = 0; n < 4; n++) {
                v16 x = (*p)[k + n][t];
                IN_REGISTER(x);
                a[n] += y[0][t] * x;
                c[n] += y[1][t] * x;
            }
        for (int n = 0; n < 4; n++) {
            sums[0][k + n] = a[n];
            sums[1][k + n] = c[n];
        }
    }
}

/* up: gradient of pooled, as it; lift, slope: trainings x FILTERS, the gradients of total and twice
 * those of squares. To found: trainings x FILTERS x VALUES, to be zero before. */
void backward(const batch *b, const float *weights, const int8_t *taps, const float *up,
              const float *lift, const float *slope, double *found, block *space)
{
    int64_t groups = (b->samples + GROUP - 1) / GROUP;
    v16 keep[BLOCKS][TAPS], spread[FILTERS][POOLED], sums[FILTERS][VALUES];
    for (int64_t g = 0; g < groups; g++) {
        int64_t start = g * GROUP;
        lay_out(b, start, space);
        for (int64_t run = b->first; run < b->last; run++) {
            int every = keep_mask(b, run, start, keep);
            memset(sums, 0, sizeof sums);
            memset(spread, 0, sizeof spread);
            for (int f = 0; f < FILTERS; f++)
                for (int s = 0; s < GROUP && start + s < b->samples; s++) {
                    const float *drop = b->dropout + (f * b->samples + start + s) * WINDOWS;
                    const float *from =
                        up + ((run * b->samples + start + s) * FILTERS + f) * CELLS;
                    float *to = (float *)spread[f] + s * WINDOWS;
                    for (int w = 0; w < WINDOWS; w += CELLS)
                        for (int c = 0; c < CELLS; c++)
                            to[w + c] = 0.25f * from[c] * drop[w + c];
                }
            for (int j = 0; j < BLOCKS; j++)
                for (int f = 0; f < FILTERS; f += 2) {
                    int64_t row = run * FILTERS + f;
                    v16 y[2][TAPS], pair[2] = {{0}};
                    const int8_t *tap[2] = {0, 0};
                    outputs(space + j, weights + row * VALUES, every ? 0 : keep[j], y);
                    for (int i = 0; i < 2 && j < POOLED; i++) {
                        pair[i] = spread[f + i][j];
                        tap[i] = taps + (((row + i) * groups + g) * POOLED + j) * 16;
                    }
                    gradient(space + j, y, lift + row, slope + row, pair, tap, sums + f);
                }
            for (int f = 0; f < FILTERS; f++)
                for (int k = 0; k < VALUES; k++)
                    found[(run * FILTERS + f) * VALUES + k] += sum_of(sums[f][k]);
        }
    }
}

/* Bytes of `space`. */
int64_t space_bytes(void)
{
    return sizeof(block) * BLOCKS;
}
