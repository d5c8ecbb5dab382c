"""Training dialogues: how two people with the facts of a scenario may talk about it, by seed.

Most talks go well; some hold a refusal, a question to repeat, or a person in a hurry who leaves. Agents say only what they are
told or have heard. Nothing here is needed to make or score a scenario.
"""
import json
import random
import re
from pathlib import Path

from .plays import PLAYS
from .scenario import GRAMMAR, capital

LINES = {name: lines for name, lines in json.loads(Path(__file__).with_name("talk.json").read_text(encoding="utf-8")).items() if name != "about"}
CHOICE = re.compile(r"\[([^\[\]]*)\]")
TRAIT_END = re.compile(r"(?<=\.)\s")
TRAITS = {trait for side in GRAMMAR["shared"]["personas"].values() for trait in side}
HASTE = "I want to leave early."  # whoever hides this may do so
GREETED, CHATTED, HURRIED, ASKED_AGAIN = 0.35, 0.06, 0.5, 0.01
LONGER = (0.75, 0.2, 0.05)  # chance of 0, 1, ... exchanges of small talk behind the task


class Talk:
    """The turns so far and the one being put together; `me` is who speaks next."""

    def __init__(self, scenario, rng):
        self.scenario, self.facts, self.rng = scenario, scenario["facts"], rng
        self.turns, self.parts = [], []
        self.traits = [[trait for trait in TRAIT_END.split(told["persona"]) if trait in TRAITS] for told in scenario["people"]]

    @property
    def me(self):
        return len(self.turns) % 2

    def chance(self, share):
        return self.rng.random() < share

    def say(self, line, **slots):
        """Add a production of this name to the turn."""
        traits = self.traits[self.me]
        own = self.rng.choice(traits) if traits else None
        slots = {**self.facts, "own": own, **slots}
        lines = LINES[line] if traits else [text for text in LINES[line] if "{own}" not in text]
        text = CHOICE.sub(lambda found: self.rng.choice(found.group(1).split("|")), self.rng.choice(lines))
        text = re.sub(r"\s+([.?!])", r"\1", text.format(**slots))
        self.parts.append(capital(text))
        return self

    def maybe(self, share, line, **slots):
        return self.say(line, **slots) if self.chance(share) else self

    def end(self):
        """The turn is over; now and then the other asks for it again."""
        if self.parts:
            text = " ".join(self.parts)
            self.turns.append(text)
            self.parts = []
            if self.chance(ASKED_AGAIN) and len(text) < 70:
                self.say("what").end()
                self.parts = []
                self.say("again", last=text).end()
        return self


def greet(talk):
    if talk.chance(GREETED):
        talk.say("hello")
        if talk.chance(0.6):
            talk.end().say("helloBack")
            if talk.chance(0.5):
                talk.end()
    if talk.chance(CHATTED):
        talk.say("askLife").end().say("tellLife").end().say("likeLife")
        if talk.chance(0.5):
            talk.end()


def part(talk):
    """Small talk, goodbye, and who goes."""
    for _ in range(talk.rng.choices(range(len(LONGER)), LONGER)[0]):
        talk.say("after").end().say("afterBack").end()
    talk.say("bye").end()
    if talk.chance(0.7):
        talk.say("bye").end()


def make_dialogue(scenario, seed):
    """[text] of the turns of one talk about the scenario, the agent 0 opening; the last speaker leaves."""
    talk = Talk(scenario, random.Random(f"talk/{scenario['family']}/{scenario['seed']}/{seed}"))
    greet(talk)
    if talk.turns and scenario["people"][talk.me]["secret"] == HASTE and talk.chance(HURRIED):
        talk.parts = []
        talk.say("hurry").end()
    else:
        PLAYS[scenario["family"]](talk)
        part(talk)
    return talk.turns
