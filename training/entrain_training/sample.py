"""Self-play: two copies of a model talk, each knowing its own briefing only."""
import torch

from .chat import ASSISTANT, BOS, END, LEAVE, SYSTEM, USER
from .meetings import MOST_TOKENS, MOST_TURNS, TEMPERATURE, TOP_P


class Speaker:
    """One side of a talk: a model, its cache, and what it has read so far."""

    def __init__(self, model, tokens, system):
        self.model, self.tokens, self.pasts = model, tokens, None
        self.read([tokens.id_of(BOS), tokens.id_of(SYSTEM), *tokens.encode(system), tokens.id_of(END)])

    @torch.no_grad()
    def read(self, ids):
        """Logits [V] behind the last of ids."""
        logits, self.pasts = self.model(torch.tensor([ids]), pasts=self.pasts)
        return logits[0, -1]

    def hear(self, words):
        self.read([self.tokens.id_of(USER), *words, self.tokens.id_of(END)])

    def speak(self, generator):
        """(token ids of the words, whether the speaker leaves)."""
        logits, words = self.read([self.tokens.id_of(ASSISTANT)]), []
        while len(words) < MOST_TOKENS:
            token = draw(logits, generator)
            if token in (self.tokens.id_of(END), self.tokens.id_of(LEAVE)):
                self.read([token])
                return words, token == self.tokens.id_of(LEAVE)
            words.append(token)
            logits = self.read([token])
        self.read([self.tokens.id_of(END)])
        return words, False


def draw(logits, generator):
    """One token from the smallest set of likeliest tokens that holds TOP_P."""
    chances, order = (logits / TEMPERATURE).softmax(-1).sort(descending=True)
    chances[chances.cumsum(-1) - chances > TOP_P] = 0
    return int(order[torch.multinomial(chances, 1, generator=generator)])


def converse(model, tokens, meeting, seed):
    """[text] of the turns, the first speaker opening; ends when one leaves."""
    scenario, briefings = meeting
    speakers = [Speaker(model, tokens, f"Scenario: {scenario}\n{briefing}") for briefing in briefings]
    generator, texts = torch.Generator().manual_seed(seed), []
    for turn in range(MOST_TURNS):
        words, leaves = speakers[turn % 2].speak(generator)
        texts.append(tokens.decode(words) + (" [leaves]" if leaves else ""))
        if leaves:
            break
        speakers[1 - turn % 2].hear(words)
    return texts
