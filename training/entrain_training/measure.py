"""How well a model predicts held-out talk, and whether it listens. All figures are nats per token.

Nothing here knows how a model is run: score(views) gives, for each view, the nats summed over its learned tokens.
"""
import math
import statistics

import numpy

from .chat import render_ids
from .corpus import SOURCES, read_dialogues
from .views import TALK_BIT, views_of

MOST_VIEWS = 40  # of each source
FEW_VIEWS = 6  # of each source, where files are compared
REPLY_TURNS = (4, 5)  # counted from 0: one reply of each speaker, with some history behind it


def learned_count(view):
    """How many tokens of a view are learned; the first of a view is never asked for."""
    return int((view[1:] >= TALK_BIT).sum())


def held_out_views(source, most):
    """Up to `most` views of a source (tokens, starts), evenly spread over it."""
    tokens, starts = source
    chosen = numpy.unique(numpy.linspace(0, len(starts) - 2, most).astype(int))
    return [tokens[starts[view]:starts[view + 1]] for view in chosen]


def losses(score, views):
    """({source: loss}, loss over all tokens) of {source: views}."""
    nats = iter(score([view for some in views.values() for view in some]))
    sums = {source: (sum(next(nats) for _ in some), sum(map(learned_count, some))) for source, some in views.items()}
    whole, count = map(sum, zip(*sums.values()))
    return {source: total / tokens for source, (total, tokens) in sums.items()}, whole / count


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


def all_reply_rows(tokens, corpora, most):
    return {source: list(reply_rows(tokens, corpora, source, most)) for source in SOURCES}


def listening(score, pairs):
    """{"mean", "error", "replies", "sources"} of {source: reply_rows}: how much likelier a reply is after its own history."""
    nats = iter(score([row for some in pairs.values() for pair in some for row in pair]))
    gains = {source: [(-next(nats) + next(nats)) / max(1, learned_count(own)) for own, _ in some] for source, some in pairs.items()}
    every = [gain for some in gains.values() for gain in some]
    return {"mean": statistics.fmean(every), "error": statistics.stdev(every) / math.sqrt(len(every)),
            "replies": len(every), "sources": {source: statistics.fmean(some) for source, some in gains.items()}}
