"""Self-play: two copies of a model talk, each knowing its own briefing only."""
import torch

from .chat import ASSISTANT, BOS, END, LEAVE, SYSTEM, USER

TEMPERATURE = 0.8
TOP_P = 0.95
MOST_TOKENS = 40
MOST_TURNS = 12

MEETINGS = [
    ("Two people meet for the first time.",
     ["You: Maria. I am a nurse. I have two dogs. I love hiking in the mountains.", "You: Tom. I play the guitar in a band. I work in a bakery."]),
    ("Two campsite neighbors negotiate over packages of food, water and firewood for their camping trip.",
     ["Goal: needs most water; then food; least firewood.\nSecret: We forgot our water bottles at home.", "Goal: needs most firewood; then water; least food."]),
    ("Two people chat about movies.",
     ["You: I love horror movies. I go to the cinema every week.", "You: I hate scary movies. My favorite film is a comedy."]),
    ("Two strangers talk in an online task.",
     ["Goal: Persuade the other person to donate to the children's charity Save the Children.", "You: I was paid for this task.\nGoal: Decide how much to donate."]),
    ("A friendly talk between two people.",
     ["You: I am a retired teacher. I live by the sea. I like to cook for my family.\nGoal: Learn about the other person's life.",
      "You: Kevin. I am a student. I want to travel to Japan.\nSecret: I am afraid of flying."]),
]


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
