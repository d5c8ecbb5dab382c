/* The element-wise parts of training a Llama on a CPU, each one pass over memory; fused.py calls them.
 * bfloat16 is uint16_t here. Shapes are row-major. Matrix products stay with the tensor library.
 * Build: cc -O3 -march=native -ffast-math -shared -fPIC kernels.c -lm */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;
typedef int64_t n_t;

static inline float wide(bf16 half) {
  uint32_t bits = (uint32_t)half << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline bf16 half(float value) {  /* to nearest even */
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return (bf16)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* x [N,D] += y [N,D]; out [N,D] = x / rms * w [D]; scale [N] = 1 / rms. y may be NULL. */
void add_norm(float *x, const bf16 *y, const float *w, bf16 *out, float *scale, n_t N, n_t D, float eps) {
  for (n_t n = 0; n < N; n++) {
    float *row = x + n * D, sum = 0;
    if (y) for (n_t d = 0; d < D; d++) row[d] += wide(y[n * D + d]);
    for (n_t d = 0; d < D; d++) sum += row[d] * row[d];
    float s = scale[n] = 1 / sqrtf(sum / D + eps);
    for (n_t d = 0; d < D; d++) out[n * D + d] = half(row[d] * s * w[d]);
  }
}

/* dx [N,D] += gradient through the norm; dw [D] += ...; dy [N,D] = dx rounded. */
void add_norm_back(const float *x, const float *w, const float *scale, const bf16 *dout, float *dx, bf16 *dy, float *dw,
                   n_t N, n_t D) {
  for (n_t n = 0; n < N; n++) {
    const float *row = x + n * D, s = scale[n];
    const bf16 *dn = dout + n * D;
    float dot = 0;
    for (n_t d = 0; d < D; d++) {
      float g = wide(dn[d]), z = row[d] * s;
      dw[d] += g * z;
      dot += g * w[d] * z;
    }
    dot /= D;
    for (n_t d = 0; d < D; d++) {
      float g = dx[n * D + d] + s * (wide(dn[d]) * w[d] - row[d] * s * dot);
      dx[n * D + d] = g;
      dy[n * D + d] = half(g);
    }
  }
}

/* out [N,F] = silu(gate) * up, both in gu [N,2F]. */
void swiglu(const bf16 *gu, bf16 *out, n_t N, n_t F) {
  for (n_t n = 0; n < N; n++)
    for (n_t f = 0; f < F; f++) {
      float g = wide(gu[n * 2 * F + f]), u = wide(gu[n * 2 * F + F + f]);
      out[n * F + f] = half(g / (1 + expf(-g)) * u);
    }
}

void swiglu_back(const bf16 *gu, const bf16 *dout, bf16 *dgu, n_t N, n_t F) {
  for (n_t n = 0; n < N; n++)
    for (n_t f = 0; f < F; f++) {
      float g = wide(gu[n * 2 * F + f]), u = wide(gu[n * 2 * F + F + f]), d = wide(dout[n * F + f]);
      float s = 1 / (1 + expf(-g));
      dgu[n * 2 * F + f] = half(d * u * s * (1 + g * (1 - s)));
      dgu[n * 2 * F + F + f] = half(d * g * s);
    }
}

/* qkv [B,T,3,H,C] to heads [3,B,H,T,C]: q and k rotated by cs [T,C] (C/2 cosines, then C/2 sines), q scaled.
 * sign -1 and back 1 undo it for gradients. */
void rotary(bf16 *qkv, bf16 *heads, const float *cs, n_t B, n_t T, n_t H, n_t C, float scale, float sign, int back) {
  n_t half_c = C / 2;
  for (n_t b = 0; b < B; b++)
    for (n_t t = 0; t < T; t++)
      for (n_t p = 0; p < 3; p++)
        for (n_t h = 0; h < H; h++) {
          bf16 *token = qkv + (((b * T + t) * 3 + p) * H + h) * C, *head = heads + (((p * B + b) * H + h) * T + t) * C;
          const bf16 *from = back ? head : token;
          bf16 *to = back ? token : head;
          const float *cos_t = cs + t * C, *sin_t = cos_t + half_c, m = p == 0 ? scale : 1;
          if (p == 2) memcpy(to, from, C * sizeof(bf16));
          else for (n_t c = 0; c < half_c; c++) {
            float x = wide(from[c]) * m, y = wide(from[c + half_c]) * m, s = sign * sin_t[c];
            to[c] = half(x * cos_t[c] - y * s);
            to[c + half_c] = half(y * cos_t[c] + x * s);
          }
        }
}

/* scores [N,T,T] to weights in place: softmax over the places up to one's own, zero beyond. */
void causal_softmax(bf16 *scores, n_t N, n_t T) {
  float e[4096];
  for (n_t r = 0; r < N * T; r++) {
    bf16 *row = scores + r * T;
    n_t seen = r % T + 1;
    float top = -1e30f, sum = 0;
    for (n_t j = 0; j < seen; j++) { float s = wide(row[j]); top = s > top ? s : top; }
    for (n_t j = 0; j < seen; j++) { e[j] = expf(wide(row[j]) - top); sum += e[j]; }
    sum = 1 / sum;
    for (n_t j = 0; j < seen; j++) row[j] = half(e[j] * sum);
    memset(row + seen, 0, (T - seen) * sizeof(bf16));
  }
}

/* gradient of the weights dp [N,T,T] to that of the scores, in place; weights p as causal_softmax left them. */
void causal_softmax_back(const bf16 *p, bf16 *dp, n_t N, n_t T) {
  for (n_t r = 0; r < N * T; r++) {
    const bf16 *row = p + r * T;
    bf16 *d = dp + r * T;
    n_t seen = r % T + 1;
    float dot = 0;
    for (n_t j = 0; j < seen; j++) dot += wide(row[j]) * wide(d[j]);
    for (n_t j = 0; j < seen; j++) d[j] = half(wide(row[j]) * (wide(d[j]) - dot));
    memset(d + seen, 0, (T - seen) * sizeof(bf16));
  }
}

/* logits [N,V] become softmax minus one-hot of target [N]; returns the summed loss in nats. */
double cross_entropy(bf16 *logits, const n_t *target, n_t N, n_t V) {
  float e[65536];
  double loss = 0;
  for (n_t n = 0; n < N; n++) {
    bf16 *row = logits + n * V;
    float top = -1e30f, sum = 0, hit = wide(row[target[n]]);
    for (n_t v = 0; v < V; v++) { float s = wide(row[v]); top = s > top ? s : top; }
    for (n_t v = 0; v < V; v++) { e[v] = expf(wide(row[v]) - top); sum += e[v]; }
    loss += logf(sum) + top - hit;
    float scale = 1 / sum;
    e[target[n]] -= sum;
    for (n_t v = 0; v < V; v++) row[v] = half(e[v] * scale);
  }
  return loss;
}
