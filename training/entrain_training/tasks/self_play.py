"""Many talks at once between two copies of a model, each told its own lines only, drawn as the runtime draws.

Conditions as in a study: in `live` each hears the other, in `monologue` neither does. Rows of a batch stay beside each other in one
cache; where a row has nothing to read, its places are masked. B rows, T new tokens, P cached, V words.
"""
from dataclasses import dataclass

import torch

from ..chat import ASSISTANT, BOS, END, LEAVE, SYSTEM, USER
from .scenario import briefing


@dataclass(frozen=True)
class Sampling:
    """The defaults of a study (src/protocol/study.ts)."""

    temperature: float = 0.7
    top_p: float = 0.95
    repetition_penalty: float = 1.1
    most_tokens: int = 32
    most_turns: int = 12
    seed: int = 1


class Side:
    """One of the two agents, in all talks of the batch."""

    def __init__(self, model, tokens, prompts):
        self.model, self.tokens, self.pasts = model, tokens, None
        self.mask = torch.zeros(len(prompts), 0, dtype=torch.int64)
        self.seen = torch.zeros(len(prompts), model.model.shape.vocab, dtype=torch.bool)
        start = [tokens.id_of(BOS), tokens.id_of(SYSTEM)]
        self.read([[*start, *tokens.encode(prompt), tokens.id_of(END)] for prompt in prompts])

    @torch.no_grad()
    def read(self, rows):
        """Logits [B, V] behind the last of each row's new ids; of a row without any they mean nothing."""
        steps = max(map(len, rows))
        if steps == 0:
            return None
        ids = torch.zeros(len(rows), steps, dtype=torch.int64)
        new = torch.zeros(len(rows), steps, dtype=torch.int64)
        for row, some in enumerate(rows):
            ids[row, :len(some)] = torch.tensor(some, dtype=torch.int64)
            new[row, :len(some)] = 1
            self.seen[row, some] = True
        places = (self.mask.sum(-1, keepdim=True) + torch.arange(steps)[None])
        self.mask = torch.cat([self.mask, new], 1)
        logits, self.pasts = self.model(ids, self.mask, places, self.pasts)
        last = (new.sum(-1) - 1).clamp(min=0)
        return logits[torch.arange(len(rows)), last]

    def close_up(self):
        """Take the masked places out of the cache, as far as they stand in no row's way."""
        length = int(self.mask.sum(-1).max())
        order = self.mask.sort(dim=-1, descending=True, stable=True)[1][:, :length]
        self.mask = self.mask.gather(1, order)
        place = lambda part: part.gather(2, order[:, None, :, None].expand(-1, part.shape[1], -1, part.shape[3]))
        self.pasts = [(place(key), place(value)) for key, value in self.pasts]

    def hear(self, said):
        """said: token ids of each row, or None where nothing is heard."""
        self.read([[self.tokens.id_of(USER), *words, self.tokens.id_of(END)] if words is not None else [] for words in said])
        self.close_up()

    def speak(self, active, sampling, generator):
        """([token ids], [whether the speaker leaves]) of every row; rows that are not active say nothing."""
        end, leave = self.tokens.id_of(END), self.tokens.id_of(LEAVE)
        said, leaves = [[] for _ in active], [False] * len(active)
        going = list(active)
        logits = self.read([[self.tokens.id_of(ASSISTANT)] if goes else [] for goes in going])
        for step in range(sampling.most_tokens + 1):
            drawn = draw(logits, self.seen, (end, leave), sampling, generator) if step < sampling.most_tokens else [end] * len(active)
            for row, token in enumerate(drawn):
                if going[row] and token in (end, leave):
                    going[row], leaves[row] = False, token == leave
                elif going[row]:
                    said[row].append(token)
            if not any(going):
                break
            logits = self.read([[token] if goes else [] for token, goes in zip(drawn, going)])
        self.read([[end] if goes else [] for goes in active])
        self.close_up()
        return said, leaves


def draw(logits, seen, ends, sampling, generator):
    """A token of each row: repetition penalty, temperature, then the smallest set of likeliest tokens that holds top_p."""
    repeated = seen.clone()
    repeated[:, list(ends)] = False
    scale = sampling.repetition_penalty
    logits = torch.where(repeated, torch.where(logits > 0, logits / scale, logits * scale), logits)
    chances, order = (logits / sampling.temperature).softmax(-1).sort(descending=True)
    chances[chances.cumsum(-1) - chances > sampling.top_p] = 0
    chosen = torch.multinomial(chances, 1, generator=generator)
    return order.gather(1, chosen)[:, 0].tolist()


def play(model, tokens, scenarios, condition, sampling):
    """[[text of each turn]] of a talk about each scenario, agent 0 opening; a talk ends when one leaves."""
    generator = torch.Generator().manual_seed(sampling.seed)
    sides = [Side(model, tokens, [briefing(scenario, agent) for scenario in scenarios]) for agent in (0, 1)]
    texts, active = [[] for _ in scenarios], [True] * len(scenarios)
    for turn in range(sampling.most_turns):
        said, leaves = sides[turn % 2].speak(active, sampling, generator)
        for row, words in enumerate(said):
            if active[row]:
                texts[row].append(tokens.decode(words).strip())
        if condition == "live":
            sides[1 - turn % 2].hear([words if goes else None for words, goes in zip(said, active)])
        active = [goes and not left for goes, left in zip(active, leaves)]
        if not any(active):
            break
    return texts
