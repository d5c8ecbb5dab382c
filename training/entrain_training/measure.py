"""How well a model predicts held-out talk, and whether it listens. All figures are nats per token."""
import math
import statistics

import numpy
import torch
from torch.nn import functional as F

from .batches import pad
from .chat import render_ids
from .corpus import SOURCES, read_dialogues
from .views import TALK_BIT, views_of

REPLY_TURNS = (4, 5)  # counted from 0: one reply of each speaker, with some history behind it


@torch.no_grad()
def row_nats(model, ids, learned):
    """Nats summed over the learned places of each row; ids, learned [B, T+1] -> [B]."""
    ids = torch.from_numpy(ids)
    logits, _ = model(ids[:, :-1])
    each = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    return (each * torch.from_numpy(learned[:, 1:])).sum(1).tolist()


def held_out_views(side, source, most):
    """Up to `most` views of a source, evenly spread over it."""
    tokens, starts = side[source]
    chosen = numpy.unique(numpy.linspace(0, len(starts) - 2, most).astype(int))
    return [tokens[starts[view]:starts[view + 1]] for view in chosen]


def view_nats(model, views):
    """(nats, learned tokens) of each view."""
    return [(row_nats(model, *pad([view]))[0], int((view[1:] >= TALK_BIT).sum())) for view in views]


def mean_nats(scored):
    return sum(nats for nats, _ in scored) / sum(count for _, count in scored)


def reply_rows(tokens, corpora, source, most):
    """Pairs of (ids, learned): a reply after its own history, the same reply after a stranger's.

    Both keep the speaker's own briefing and the same number of turns; the stranger is the next dialogue of
    the source, so the difference is what was said, not the kind of talk.
    """
    dialogues = [item for item in read_dialogues(corpora, source, held_out=True) if len(item[1]["turns"]) > max(REPLY_TURNS)]
    dialogues = dialogues[:most]
    for place, item in enumerate(dialogues):
        stranger = dialogues[(place + 1) % len(dialogues)]
        for reply in REPLY_TURNS:
            system, own = list(views_of(source, *item))[reply % 2]
            _, other = list(views_of(source, *stranger))[reply % 2]
            if item[1]["turns"][:reply] != stranger[1]["turns"][:reply]:
                yield [reply_row(tokens, system, history[:reply], own[reply]) for history in (own, other)]


def reply_row(tokens, system, history, reply):
    """Render, learned on the reply alone, and on its words only: how it ends is not asked."""
    ids, talk = render_ids(tokens, system, [*history, reply])
    words = len(tokens.encode(reply[1]))
    learned = [0] * (len(ids) - words - 1) + [1] * words + [0]
    return numpy.array(ids, numpy.uint16) | numpy.array(learned, numpy.uint16) * numpy.uint16(TALK_BIT)


def listening(model, tokens, corpora, most):
    """{"mean", "error", "replies", "sources"}: how much likelier a reply is after its own history."""
    gains, sources = [], {}
    for source in SOURCES:
        here = []
        for own, other in reply_rows(tokens, corpora, source, most):
            ids, learned = pad([own, other])
            heard, unheard = row_nats(model, ids, learned)
            here.append((unheard - heard) / max(1, int((own >= TALK_BIT).sum())))
        sources[source] = statistics.fmean(here)
        gains += here
    return {"mean": statistics.fmean(gains), "error": statistics.stdev(gains) / math.sqrt(len(gains)),
            "replies": len(gains), "sources": sources}
