"""An endless, seeded stream of batches: views of similar length together, sources in a given mixture."""
import numpy
from torch.utils.data import DataLoader, IterableDataset

from .corpus import SOURCES
from .views import TALK_BIT

LEAST_POOL_VIEWS = 1024
POOL_TOKENS_A_VIEW = 8  # a pool holds some 40 batches: little padding, and batches of all lengths in every dozen
BATCHES_AHEAD = 16
STEADY_STEPS = [96, 128, 160, 192, 224, 256, 320, 384, 512, 768, 1024]


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


def similar_lengths(views, budget_tokens):
    """Lists of views of similar length, each of at most budget_tokens places when padded."""
    groups, group = [], []
    for view in sorted(views, key=len):
        if group and (len(group) + 1) * len(view) > budget_tokens:
            groups.append(group)
            group = []
        group.append(view)
    return [*groups, group]


def batches(mixture, budget_tokens):
    """Yield (ids, learned) of at most budget_tokens places, in random order within pools of views."""
    pool = max(LEAST_POOL_VIEWS, budget_tokens // POOL_TOKENS_A_VIEW)
    while True:
        groups = similar_lengths([mixture.draw() for _ in range(pool)], budget_tokens)
        for index in mixture.rng.permutation(len(groups)):
            yield pad(groups[index])


def steady_batches(mixture, budget_tokens):
    """Yield (ids, learned) of few sizes: STEADY_STEPS long, as many views as the budget takes. A CPU is slow at sizes it has not met.

    Views wait until a batch of their length is full; longer ones than the last size lose their end.
    """
    waiting = {steps: [] for steps in STEADY_STEPS}
    while True:
        view = mixture.draw()[:STEADY_STEPS[-1] + 1]
        steps = next(steps for steps in STEADY_STEPS if len(view) - 1 <= steps)
        waiting[steps].append(numpy.pad(view, (0, steps + 1 - len(view))))
        if len(waiting[steps]) == max(1, budget_tokens // steps):
            yield pad(waiting[steps])
            waiting[steps] = []


class Stream(IterableDataset):
    def __init__(self, batch_stream):
        self.batch_stream = batch_stream

    def __iter__(self):
        return self.batch_stream


def made_ahead(batch_stream):
    """The same batches as tensors, made by a process of their own: a GPU need not wait for Python."""
    return iter(DataLoader(Stream(batch_stream), batch_size=None, num_workers=1, prefetch_factor=BATCHES_AHEAD, pin_memory=True))
