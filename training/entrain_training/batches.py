"""An endless, seeded stream of batches: views of similar length together, sources in a given mixture."""
import numpy

from .corpus import SOURCES
from .views import TALK_BIT

POOL_VIEWS = 1024


class Mixture:
    """Draws views; the chance of a source is its weight times its tokens, each source in shuffled order."""

    def __init__(self, side, phase, rng):
        self.side, self.rng = side, rng
        self.names = [name for name in side if SOURCES[name][phase] > 0]
        views = numpy.array([len(side[name][1]) - 1 for name in self.names])
        shares = views * [SOURCES[name][phase] for name in self.names]
        self.shares = shares / shares.sum()
        self.waiting = {name: [] for name in self.names}

    def draw(self):
        """One view: uint16 tokens with their talk bits."""
        name = self.names[self.rng.choice(len(self.names), p=self.shares)]
        tokens, starts = self.side[name]
        if not self.waiting[name]:
            self.waiting[name] = list(self.rng.permutation(len(starts) - 1))
        view = self.waiting[name].pop()
        return tokens[starts[view]:starts[view + 1]]


def pad(views):
    """ids [B, T+1] int64 and learned [B, T+1] bool; what is added behind the end is not learned."""
    length = max(len(view) for view in views)
    ids = numpy.zeros((len(views), length), numpy.int64)
    learned = numpy.zeros((len(views), length), bool)
    for row, view in enumerate(views):
        ids[row, :len(view)] = view & ~numpy.uint16(TALK_BIT)
        learned[row, :len(view)] = view >= TALK_BIT
    return ids, learned


def batches(mixture, budget_tokens):
    """Yield (ids, learned) of at most budget_tokens places, in random order within pools of views."""
    while True:
        views = sorted((mixture.draw() for _ in range(POOL_VIEWS)), key=len)
        groups, group = [], []
        for view in views:
            if group and (len(group) + 1) * len(view) > budget_tokens:
                groups.append(group)
                group = []
            group.append(view)
        groups.append(group)
        for index in mixture.rng.permutation(len(groups)):
            yield pad(groups[index])
