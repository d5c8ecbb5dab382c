"""The map of src/synchrony/syncr2/paper-mode.ts in sample space, in float64.

  source layer: K = X X', column means out
  split:        W' = K[test, train] (K[train, train] + alpha I)^-1, K centred by the training mean; M = W W'
  target layer: Z = Y less its training mean, over the root of its test sum of squares; G = Z Z'
  R2 = 1 - (|Z[test]|^2 - 2 <W, G[train, test]> + <M, G[train, train]>) / dims
"""
import torch

SOURCE_PANEL = 1024  # rows of a Gram at a time: only what is on or right of the diagonal is worked out
PANEL = 512


def source_gram(layer):
    x = layer.double()
    x = x - x.mean(0)
    n = len(x)
    k = torch.empty(n, n, dtype=x.dtype, device=x.device)
    for start in range(0, n, SOURCE_PANEL):
        end = min(n, start + SOURCE_PANEL)
        panel = x[start:end] @ x[start:].T
        k[start:end, start:] = panel
        k[start:, start:end] = panel.T
    return k


def weights_by_split(k, splits, alpha):
    """W [train, test] per split, a factorisation each."""
    for train, test in splits:
        rows = k.index_select(0, train)
        kr, ke = rows.index_select(1, train), rows.index_select(1, test)
        mean = kr.mean(0)
        grand = mean.mean()
        ke = ke - ke.mean(0) - mean[:, None] + grand
        kr = kr - mean - mean[:, None] + grand
        kr.diagonal().add_(alpha)
        yield torch.cholesky_solve(ke, torch.linalg.cholesky(kr))


def weights_by_blocks(k, splits, alpha):
    """The same from one factorisation: a held-out prediction needs only test columns of the whole inverse (src/synchrony/syncr2/r2-map.ts).

    A constant is added to every column of W, which Z with its training mean out takes to 0.
    """
    n = len(k)
    along = k.diagonal().mean()
    whole = k + along / n
    whole.diagonal().add_(alpha)
    held_out = torch.unique(torch.cat([test for _, test in splits]))
    place = torch.zeros(n, dtype=torch.int64, device=k.device)
    place[held_out] = torch.arange(len(held_out), device=k.device)
    unit = torch.zeros(n, len(held_out), dtype=k.dtype, device=k.device)
    unit[held_out, place[held_out]] = 1
    columns = torch.cholesky_solve(unit, torch.linalg.cholesky(whole)) - 1 / (n * (alpha + along))
    for train, test in splits:
        s = columns.index_select(1, place[test])
        inner = torch.linalg.cholesky(s.index_select(0, test))
        yield -torch.cholesky_solve(s.index_select(0, train).T, inner).T


WAYS = {"a factor per split": weights_by_split, "one factor, splits by blocks": weights_by_blocks}


def scale_targets(b, train, test, room):
    """Writes Z into room [layers, n, dims], training rows first; the sums of squares of its test part [layers]."""
    order, m = torch.cat([train, test]), len(train)
    for layer, z in zip(b, room):
        y = layer.index_select(0, order).double()
        total = ((y[m:] - y[m:].mean(0)) ** 2).sum(0)
        torch.sub(y, y[:m].mean(0), out=z)
        z.mul_(total.rsqrt())
    return torch.stack([(z[m:] ** 2).sum() for z in room])


def inner_products(x, y):
    """<x[i], y[j]> of [layers, rows, cols] and [layers, rows, cols], a row at a time so that no product is one long sum."""
    return torch.bmm(x.transpose(0, 1), y.permute(1, 2, 0)).sum(0)


def r2_maps(a, b, splits, alpha, way, clock):
    """R2 [splits, source layers, target layers]; a and b are [layers, n, dims]."""
    n, dims, double = a.shape[1], b.shape[2], dict(dtype=torch.float64, device=a.device)
    weights = [torch.empty(len(a), len(train), len(test), **double) for train, test in splits]
    for i, layer in enumerate(a):
        with clock.phase("source Grams"):
            k = source_gram(layer)
        with clock.phase("factors and solves"):
            for room, w in zip(weights, WAYS[way](k, splits, alpha)):
                room[i] = w
        del k, w
    z = torch.empty(len(b), n, dims, **double)
    maps = []
    for w, (train, test) in zip(weights, splits):
        m = len(train)
        with clock.phase("target scaling"):
            errors = scale_targets(b, train, test, z).repeat(len(a), 1)
        for start in range(0, m, PANEL):
            end = min(m, start + PANEL)
            with clock.phase("target Grams"):
                g = torch.bmm(z[:, start:end], z[:, start:].transpose(1, 2))
            with clock.phase("weight Grams"):
                square = torch.bmm(w[:, start:end], w[:, start:].transpose(1, 2))
            with clock.phase("pairs of layers"):
                wide, diagonal = m - start, end - start
                errors += 2 * inner_products(square, g[:, :, :wide])
                errors -= inner_products(square[:, :, :diagonal], g[:, :, :diagonal])
                errors -= 2 * inner_products(w[:, start:end], g[:, :, wide:])
            del g, square
        maps.append(1 - errors / dims)
    result = torch.stack(maps).cpu()
    if not bool(torch.isfinite(result).all()):
        raise ArithmeticError("the map holds values that are not finite: is a target dim constant in a test part?")
    return result


def map_work(layers, n, dims, splits, way):
    """Multiplications and additions of each phase, as they are done here."""
    work = {"source Grams": layers * dims * n * (n + SOURCE_PANEL)}
    factors, target, weight, pairs = 0, 0, 0, 0
    for train, test in splits:
        m, t = len(train), len(test)
        factors += m**3 / 3 + 2 * m * m * t if way == "a factor per split" else t**3 / 3 + 2 * t * t * m
        target += 2 * dims * (m * n - m * (m - PANEL) / 2)
        weight += t * m * (m + PANEL)
        pairs += layers * (m * (m + PANEL) + 2 * m * PANEL + 2 * m * t)
    if way != "a factor per split":
        held_out = len(torch.unique(torch.cat([test for _, test in splits])))
        factors += n**3 / 3 + 2 * n * n * held_out
    work["factors and solves"] = layers * factors
    work["target Grams"], work["weight Grams"], work["pairs of layers"] = layers * target, layers * weight, layers * pairs
    return work
