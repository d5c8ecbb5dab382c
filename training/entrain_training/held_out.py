"""Stopping by held-out loss: what no longer falls ends the stable phase, and then the run; the best weights are kept.

A member's plan of tokens is the most it may see. Held-out talk says when that is too much for its text: in the stable
phase the learning rate then begins its fall, in the fall the run ends.
"""
import torch

from .batches import pad, similar_lengths
from .corpus import SOURCES
from .measure import FEW_VIEWS, held_out_views, learned_count
from .views import load_side

LEAST_GAIN = 0.002  # nats per token
PATIENCE = 5  # checks without such a gain, and
STALE_SHARE = 0.2  # of all tokens seen: late gains come slowly


def read_watched(store):
    """The few views of every source that are looked at on the way."""
    side = load_side(store, "held-out")
    return [view for source in SOURCES for view in held_out_views(side[source], FEW_VIEWS) if learned_count(view)]


@torch.no_grad()
def held_out_loss(views, talk_loss, budget_tokens):
    """Nats per token; talk_loss(ids, learned) gives the nats of one batch of at most budget_tokens places."""
    nats = sum(float(talk_loss(*pad(some))) for some in similar_lengths(views, budget_tokens))
    return nats / sum(map(learned_count, views))


class Patience:
    """The best loss so far and how long ago it was; `state` goes into the checkpoint."""

    def __init__(self, state=None):
        self.state = state or {"best": float("inf"), "stale": 0, "tokens": 0}

    def take(self, loss, tokens):
        """Whether this is the best so far."""
        if loss < self.state["best"] - LEAST_GAIN:
            self.state.update(best=loss, stale=0, tokens=tokens)
            return True
        self.state["stale"] += 1
        return False

    def is_out(self, tokens):
        return self.state["stale"] >= PATIENCE and tokens - self.state["tokens"] >= STALE_SHARE * tokens

    def again(self, tokens):
        self.state.update(stale=0, tokens=tokens)
