/* Chains of 3 x 3 convolutions by Winograd's F(4 x 4, 3 x 3): a quarter of the multiplications
 * (Lavin and Gray, CVPR 2016). native.py lays out the layers and calls `run`.
 *
 * Planes are height x width x channels, channels a multiple of 16. A plane is worked on in tiles of
 * 4 x 4; a layer computes all of them, or those in a list, and takes what lies outside from a plane
 * of reference. Several frames may lie behind one another in a plane: their tiles are counted on. A tile's value depends on its 6 x 6 surrounding alone and is always added up in the
 * same order: neither threads nor the list change a bit of it.
 */

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
enum { LANES = 16, ACROSS = 4 };
#elif defined(__AVX2__)
enum { LANES = 8, ACROSS = 2 };
#else
enum { LANES = 4, ACROSS = 4 };
#endif
typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

enum {
    SIDE = 4,            /* of a tile */
    SEEN = 6,            /* of its surrounding */
    PLACES = SEEN * SEEN,
    ROWS = 6,            /* tiles that a multiplication takes at once */
    TILES = 12,          /* of a block: its planes stay in the cache */
    MOST_CHANNELS = 1024,
};

typedef struct {
    float *data;                     /* frames x height x width x channels */
    const float *reference;          /* one frame, of the reference; or NULL */
    const uint8_t *fresh;            /* by frame and tile: is it in data? NULL: all are */
    int32_t height, width, channels; /* channels: from pixel to pixel */
} plane;

typedef struct {
    const void *weights; /* PLACES x in x out; bfloat16: PLACES x in / 2 x out x 2 */
    const float *bias;   /* out */
    const float *slope;  /* out: what values below zero are multiplied with */
    int32_t in, out;     /* channels, multiples of 16 */
    int32_t from, to;    /* planes */
    int32_t at;          /* first channel that is written */
    int32_t twice;       /* 1: the input is enlarged to two times before */
    int32_t half;        /* 1: products of bfloat16 */
    int32_t first, second; /* planes that are added, or -1: (y first_scale + first) second_scale + second */
    float first_scale, second_scale;
} layer;

typedef struct {
    const plane *planes;
    const layer *layers;
    int32_t count;   /* of layers */
    const int32_t *tiles; /* numbers of the tiles to compute; NULL: all */
    int32_t tile_count;
} chain;

/* Threads that wait for each other; pthread_barrier_t is not everywhere. A layer of few tiles takes
 * less than falling asleep and waking: so they look for a while first. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    int expected, waiting;
    atomic_int round;
} meeting;

static void meet(meeting *m)
{
    enum { LOOKS = 20000 };
    pthread_mutex_lock(&m->lock);
    int round = atomic_load(&m->round), last = ++m->waiting == m->expected;
    if (last) {
        m->waiting = 0;
        atomic_store(&m->round, round + 1);
        pthread_cond_broadcast(&m->all_here);
    }
    pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < LOOKS && round == atomic_load(&m->round); i++)
        ;
    if (round != atomic_load(&m->round))
        return;
    pthread_mutex_lock(&m->lock);
    while (round == atomic_load(&m->round))
        pthread_cond_wait(&m->all_here, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

typedef struct {
    const chain *chain;
    atomic_int *next; /* by layer: first tile that nobody has taken */
    meeting *together;
    int failed;
} share;

static inline vec load(const float *p) { return *(const vec *)p; }
static inline void store(float *p, vec v) { *(vec *)p = v; }

static const float NOTHING[MOST_CHANNELS];

typedef struct {
    int frame, top, left;
} place;

static inline int tiles_in(int length) { return (length + SIDE - 1) / SIDE; }

static place place_of(const plane *p, int tile)
{
    int across = tiles_in(p->width), count = across * tiles_in(p->height);
    return (place){tile / count, tile % count / across * SIDE, tile % across * SIDE};
}

static inline float *pixel(const plane *p, int frame, int y, int x)
{
    return p->data + (((int64_t)frame * p->height + y) * p->width + x) * p->channels;
}

/* Where the 36 pixels around a tile lie. */
static void surrounding(const plane *p, int twice, place t, const float *at[PLACES])
{
    int height = p->height << twice, width = p->width << twice;
    int across = tiles_in(p->width), count = across * tiles_in(p->height);
    for (int i = 0; i < SEEN; i++)
        for (int j = 0; j < SEEN; j++) {
            int y = t.top - 1 + i, x = t.left - 1 + j;
            if (y < 0 || x < 0 || y >= height || x >= width) {
                at[i * SEEN + j] = NOTHING;
                continue;
            }
            y >>= twice, x >>= twice;
            int fresh = !p->fresh || p->fresh[t.frame * count + y / SIDE * across + x / SIDE];
            at[i * SEEN + j] = fresh ? pixel(p, t.frame, y, x)
                                     : p->reference + ((int64_t)y * p->width + x) * p->channels;
        }
}

/* The polynomials' points are 0, +-sqrt(1/2), +-sqrt(2) and infinity: factors stay smaller than with
 * the usual 0, +-1, +-2, and with them what bfloat16 rounds. */
#define LOW 0.70710678118654752f
#define HIGH 1.41421356237309505f

/* B'd for six values in a row. */
static inline void spread(const vec d[SEEN], vec out[SEEN])
{
    vec a = d[4] - 2 * d[2], b = LOW * (d[3] - 2 * d[1]);
    vec c = d[4] - 0.5f * d[2], e = HIGH * (d[3] - 0.5f * d[1]);
    out[0] = d[0] - 2.5f * d[2] + d[4];
    out[1] = a + b;
    out[2] = a - b;
    out[3] = c + e;
    out[4] = c - e;
    out[5] = d[1] - 2.5f * d[3] + d[5];
}

/* A'm for six values in a row. */
static inline void gather(const vec m[SEEN], vec out[SIDE])
{
    vec a = m[1] + m[2], b = LOW * (m[1] - m[2]), c = m[3] + m[4], d = HIGH * (m[3] - m[4]);
    out[0] = m[0] + a + c;
    out[1] = b + d;
    out[2] = 0.5f * a + 2 * c;
    out[3] = 0.5f * b + 2 * d + m[5];
}

static inline void keep(void *v, int half, int64_t at, vec value)
{
#if defined(__AVX512BF16__)
    if (half) {
        *(__m256i_u *)((uint16_t *)v + at) = (__m256i)_mm512_cvtneps_pbh((__m512)value);
        return;
    }
#endif
    store((float *)v + at, value);
}

/* v: PLACES x TILES x in. */
static void transform_in(const float *const at[PLACES], void *v, int half, int in, int row)
{
    for (int c = 0; c < in; c += LANES) {
        vec rows[SEEN][SEEN], column[SEEN], out[SEEN];
        for (int j = 0; j < SEEN; j++) {
            for (int i = 0; i < SEEN; i++)
                column[i] = load(at[i * SEEN + j] + c);
            spread(column, out);
            for (int i = 0; i < SEEN; i++)
                rows[i][j] = out[i];
        }
        for (int i = 0; i < SEEN; i++) {
            spread(rows[i], out);
            for (int j = 0; j < SEEN; j++)
                keep(v, half, ((int64_t)(i * SEEN + j) * TILES + row) * in + c, out[j]);
        }
    }
}

/* ROWS tiles times `across` vectors of outputs. */
static inline __attribute__((always_inline)) void product(const float *v, const float *u, float *m,
                                                          int in, int out, const int across)
{
    vec sum[ROWS][ACROSS];
    for (int r = 0; r < ROWS; r++)
        for (int n = 0; n < across; n++)
            sum[r][n] = (vec){0};
    for (int k = 0; k < in; k++) {
        vec w[ACROSS];
#pragma GCC unroll 4
        for (int n = 0; n < across; n++)
            w[n] = load(u + (int64_t)k * out + n * LANES);
#pragma GCC unroll 6
        for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
            for (int n = 0; n < across; n++)
                sum[r][n] += v[r * in + k] * w[n];
    }
    for (int r = 0; r < ROWS; r++)
        for (int n = 0; n < across; n++)
            store(m + (int64_t)r * out + n * LANES, sum[r][n]);
}

#if defined(__AVX512BF16__)
static inline __attribute__((always_inline)) void half_product(const uint16_t *v, const uint16_t *u,
                                                               float *m, int in, int out,
                                                               const int across)
{
    __m512 sum[ROWS][ACROSS];
    for (int r = 0; r < ROWS; r++)
        for (int n = 0; n < across; n++)
            sum[r][n] = _mm512_setzero_ps();
    for (int k = 0; k < in; k += 2) {
        __m512bh w[ACROSS];
#pragma GCC unroll 4
        for (int n = 0; n < across; n++)
            w[n] = (__m512bh)_mm512_loadu_si512(u + (int64_t)k * out + n * 2 * LANES);
#pragma GCC unroll 6
        for (int r = 0; r < ROWS; r++) {
            int32_t pair;
            memcpy(&pair, v + r * in + k, sizeof pair);
            __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
            for (int n = 0; n < across; n++)
                sum[r][n] = _mm512_dpbf16_ps(sum[r][n], x, w[n]);
        }
    }
    for (int r = 0; r < ROWS; r++)
        for (int n = 0; n < across; n++)
            _mm512_storeu_ps(m + (int64_t)r * out + n * LANES, sum[r][n]);
}
#endif

/* m: PLACES x TILES x out. */
static void multiply(const layer *l, const void *v, float *m, int rows)
{
    int in = l->in, out = l->out;
    for (int p = 0; p < PLACES; p++)
        for (int r = 0; r < rows; r += ROWS) {
            int64_t row = (int64_t)p * TILES + r, weight = (int64_t)p * in * out;
            float *to = m + row * out;
#if defined(__AVX512BF16__)
            if (l->half) {
                const uint16_t *a = (const uint16_t *)v + row * in;
                const uint16_t *u = (const uint16_t *)l->weights + weight;
                int n = 0;
                for (; n + ACROSS * LANES <= out; n += ACROSS * LANES)
                    half_product(a, u + 2 * n, to + n, in, out, ACROSS);
                for (; n + 2 * LANES <= out; n += 2 * LANES)
                    half_product(a, u + 2 * n, to + n, in, out, 2);
                for (; n < out; n += LANES)
                    half_product(a, u + 2 * n, to + n, in, out, 1);
                continue;
            }
#endif
            const float *a = (const float *)v + row * in, *u = (const float *)l->weights + weight;
            int n = 0;
            for (; n + ACROSS * LANES <= out; n += ACROSS * LANES)
                product(a, u + n, to + n, in, out, ACROSS);
            for (; n + 2 * LANES <= out; n += 2 * LANES)
                product(a, u + n, to + n, in, out, 2);
            for (; n < out; n += LANES)
                product(a, u + n, to + n, in, out, 1);
        }
}

static void transform_out(const chain *c, const layer *l, const float *m, int row, place t)
{
    const plane *to = c->planes + l->to;
    const plane *first = l->first < 0 ? 0 : c->planes + l->first;
    const plane *second = l->second < 0 ? 0 : c->planes + l->second;
    int high = to->height - t.top < SIDE ? to->height - t.top : SIDE;
    int wide = to->width - t.left < SIDE ? to->width - t.left : SIDE;
    for (int n = 0; n < l->out; n += LANES) {
        vec rows[SIDE][SEEN], line[SEEN], out[SIDE];
        vec bias = load(l->bias + n), slope = load(l->slope + n);
        for (int j = 0; j < SEEN; j++) {
            for (int i = 0; i < SEEN; i++)
                line[i] = load(m + ((int64_t)(i * SEEN + j) * TILES + row) * l->out + n);
            gather(line, out);
            for (int i = 0; i < SIDE; i++)
                rows[i][j] = out[i];
        }
        for (int i = 0; i < high; i++) {
            gather(rows[i], out);
            for (int j = 0; j < wide; j++) {
                vec y = out[j] + bias;
                y = (vec)((y > 0) & (__typeof__(y > 0))y) + slope * (vec)((y < 0) & (__typeof__(y > 0))y);
                if (first)
                    y = y * l->first_scale + load(pixel(first, t.frame, t.top + i, t.left + j) + n);
                if (second)
                    y = y * l->second_scale + load(pixel(second, t.frame, t.top + i, t.left + j) + n);
                store(pixel(to, t.frame, t.top + i, t.left + j) + l->at + n, y);
            }
        }
    }
}

/* The next block: a half one towards the end, so that no thread waits long for another's last. */
static int take(atomic_int *next, int count, int threads, int *start)
{
    int from = atomic_load(next), size;
    do {
        int left = count - from;
        size = left > TILES * threads ? TILES : ROWS;
        size = left < size ? left : size;
        if (size <= 0)
            return 0;
    } while (!atomic_compare_exchange_weak(next, &from, from + size));
    *start = from;
    return size;
}

static void run_layer(const chain *c, const layer *l, atomic_int *next, int threads, void *v, float *m)
{
    const plane *to = c->planes + l->to, *from = c->planes + l->from;
    int count = c->tiles ? c->tile_count : tiles_in(to->width) * tiles_in(to->height);
    for (int start = 0, tiles; (tiles = take(next, count, threads, &start)) > 0;) {
        place places[TILES];
        for (int t = 0; t < tiles; t++) {
            const float *at[PLACES];
            places[t] = place_of(to, c->tiles ? c->tiles[start + t] : start + t);
            surrounding(from, l->twice, places[t], at);
            transform_in(at, v, l->half, l->in, t);
        }
        multiply(l, v, m, tiles);
        for (int t = 0; t < tiles; t++)
            transform_out(c, l, m, t, places[t]);
    }
}

static int most(const chain *c, int out)
{
    int found = 0;
    for (int i = 0; i < c->count; i++) {
        int value = out ? c->layers[i].out : c->layers[i].in;
        found = value > found ? value : found;
    }
    return found;
}

static void *work(void *given)
{
    share *s = given;
    const chain *c = s->chain;
    size_t in = (size_t)PLACES * TILES * most(c, 0) * 4, out = (size_t)PLACES * TILES * most(c, 1) * 4;
    void *v = aligned_alloc(64, in);
    float *m = aligned_alloc(64, out);
    s->failed = !v || !m;
    if (!s->failed)
        memset(v, 0, in); /* rows beyond the last tile are multiplied too */
    meet(s->together);
    for (int i = 0; i < c->count; i++) {
        if (!s->failed)
            run_layer(c, c->layers + i, s->next + i, s->together->expected, v, m);
        meet(s->together);
    }
    free(v);
    free(m);
    return 0;
}

/* Computes all layers on up to so many threads; returns 0, or 1 where there is too little memory. */
int run(const chain *c, int threads)
{
    enum { MOST = 64 };
    share shares[MOST];
    pthread_t others[MOST];
    meeting together = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, MOST + 1, 0, 0};
    atomic_int *next = calloc(c->count, sizeof *next);
    if (!next)
        return 1;
    int count = 1, failed = 0;
    for (; count < threads && count < MOST; count++) {
        shares[count] = (share){c, next, &together, 0};
        if (pthread_create(others + count, 0, work, shares + count))
            break; /* fewer do it too */
    }
    pthread_mutex_lock(&together.lock);
    together.expected = count;
    pthread_mutex_unlock(&together.lock);
    shares[0] = (share){c, next, &together, 0};
    work(shares);
    for (int i = 1; i < count; i++)
        pthread_join(others[i], 0);
    for (int i = 0; i < count; i++)
        failed |= shares[i].failed;
    free(next);
    return failed;
}

/* 1 where bfloat16 can be multiplied here. */
int knows_half(void)
{
#if defined(__AVX512BF16__)
    return 1;
#else
    return 0;
#endif
}

/* Tiles of the last plane as pictures `scale` times larger, uint8 RGB, one for each frame: channel
 * (3 scale + i) scale + j is pixel (i, j) of the enlarged one; the first plane is added to each of
 * them where it is asked for. */
void finish(const chain *c, int32_t last, int add_first, int scale, uint8_t *const *pictures)
{
    const plane *p = c->planes + last, *small = c->planes;
    int count = c->tiles ? c->tile_count : tiles_in(p->width) * tiles_in(p->height);
    int64_t pitch = (int64_t)p->width * scale * 3;
    for (int n = 0; n < count; n++) {
        place t = place_of(p, c->tiles ? c->tiles[n] : n);
        for (int y = t.top; y < t.top + SIDE && y < p->height; y++)
            for (int x = t.left; x < t.left + SIDE && x < p->width; x++) {
                const float *values = pixel(p, t.frame, y, x);
                const float *base = add_first ? pixel(small, t.frame, y, x) : NOTHING;
                for (int i = 0; i < scale; i++) {
                    uint8_t *to = pictures[t.frame] + (y * scale + i) * pitch + (int64_t)x * scale * 3;
                    for (int j = 0; j < scale; j++)
                        for (int k = 0; k < 3; k++) {
                            float value = values[(k * scale + i) * scale + j] + base[k];
                            value = rintf(value * 255);
                            to[j * 3 + k] = value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
                        }
                }
            }
    }
}
