"""Scenarios of the task families, by seed: facts, and what each of two agents is told of them.

A scenario is {"family", "side", "seed", "text", "people": [{"persona", "goal", "secret"}] * 2, "facts"}. All words come
from studies/sets/tasks.json. Every draw is one of draws.py, in the order of this file, so that a port gives the same scenarios.
"""
import json
from pathlib import Path

from .draws import Draws, derive_seed

# Studies read the same file: src/scenarios makes the same scenarios of it.
GRAMMAR = json.loads((Path(__file__).parents[3] / "studies" / "sets" / "tasks.json").read_text(encoding="utf-8"))
LEAD_PER_CENT = 60  # how often a person has a trait in front of its facts
SECRET_PER_CENT = 70  # how often a person whose facts need no secret has one
WISH_OWN_PER_CENT = 60


def joined(words):
    """"a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capital(text):
    return text[:1].upper() + text[1:]


class Source:
    """Draws lines of one family from one side of the grammar."""

    def __init__(self, family, side, seed):
        self.grammar, self.side = GRAMMAR[family], side
        self.draws = Draws(derive_seed("task", family, side, seed))

    def of(self, name):
        """One of a list of the family, or of the lists that all families share."""
        return self.draws.pick(self.all(name))

    def all(self, name):
        found = self.grammar[name] if name in self.grammar else GRAMMAR["shared"][name]
        return found[self.side] if isinstance(found, dict) else found

    def some(self, name, count):
        return self.draws.sample(self.all(name), count)

    def line(self, name, **slots):
        return self.of(name).format(**slots)

    def chance(self, per_cent):
        return self.draws.below(100) < per_cent

    def persona(self, *facts):
        lead = [self.of("personas")] if self.chance(LEAD_PER_CENT) else []
        return " ".join([*lead, *facts])

    def idle_secret(self):
        return self.of("secrets") if self.chance(SECRET_PER_CENT) else ""


def person(persona, goal, secret):
    return {"persona": persona, "goal": goal, "secret": secret}


def friend(source):
    names = source.some("names", 5)
    shared, lists = names[0], [[names[0], *names[1:3]], [names[0], *names[3:5]]]
    lists = [source.draws.sample(known, 3) for known in lists]
    people = [person(source.persona(source.line("persona", names=joined(known))), source.of("goal"), source.idle_secret())
              for known in lists]
    return source.of("scenario"), people, {"names": lists, "shared": shared}


def divide(source):
    items = source.some("items", 3)
    tops = source.draws.sample([0, 1, 2], 2)
    people, values = [], []
    for top in tops:
        least = source.draws.pick([place for place in range(3) if place != top])
        values.append({item: 3 if place == top else 0 if place == least else 2 for place, item in enumerate(items)})
        told = {"top": items[top], "least": items[least]}
        people.append(person(source.persona(), source.line("goal", **told), source.line("secret", **told)))
    return source.line("scenario", items="the " + joined([items[0], *(f"the {item}" for item in items[1:])])), people, {"items": items, "values": values}


def price(source):
    first, last, step = source.all("prices")
    item, seller = source.of("items"), source.draws.below(2)
    steps = (last - first) // step
    gap = 1 + source.draws.below(6)
    low = first + step * (1 + source.draws.below(steps - gap - 1))
    facts = {"item": item, "seller": seller, "low": low, "high": low + step * gap}
    people = [person(source.persona(source.line(f"{role}Persona", **facts)), source.line(f"{role}Goal", **facts),
                     source.line(f"{role}Secret", **facts)) for role in ("seller", "buyer")]
    return source.line("scenario", **facts), people[::-1] if seller else people, facts


def meet(source):
    kind = source.draws.pick(["day", "hour"])
    slots, places = source.some(f"{kind}s", 5), source.some("places", 3)
    free = [source.draws.sample([slots[0], *some], 3) for some in (slots[1:3], slots[3:5])]
    near = [source.draws.sample([places[0], places[other]], 2) for other in (1, 2)]
    people = []
    for agent in (0, 1):
        times = source.line(f"{kind}Persona", slots=joined(free[agent]))
        where = source.line("placePersona", places=f"{near[agent][0]} and the {near[agent][1]}")
        people.append(person(f"{times} {where}", source.of("goal"), source.idle_secret()))
    facts = {"kind": kind, "slots": free, "places": near, "slot": slots[0], "place": places[0]}
    return source.of("scenario"), people, facts


def secret(source):
    thing, value, words, holder = source.of("things"), source.of("values"), source.some("words", 2), source.draws.below(2)
    told = source.draws.below(3) > 0
    facts = {"thing": thing, "value": value, "word": words[0], "said": words[0 if told else 1], "told": told, "holder": holder}
    people = [person(source.persona(), source.line("holderGoal", **facts), source.line("holderSecret", **facts)),
              person(source.persona(source.line("askerPersona", **facts)), source.line("askerGoal", **facts), source.idle_secret())]
    return source.line("scenario", **facts), people[::-1] if holder else people, facts


def know(source):
    thing, places, knower = source.of("things"), source.some("places", 2), source.draws.below(2)
    facts = {"thing": thing, "from": places[0], "to": places[1], "mover": source.of("movers"), "knower": knower}
    people = [person(source.persona(source.line(f"{role}Persona", **facts)), source.line(f"{role}Goal", **facts), source.idle_secret())
              for role in ("knower", "seeker")]
    return source.line("scenario", **facts), people[::-1] if knower else people, facts


def wish(source):
    kinds = source.draws.sample(source.all("verbs"), 2)
    acts = [f"{source.draws.pick(kind['verb'])} {source.draws.pick(kind['noun'][source.side])}" for kind in kinds]
    people = []
    for act in acts:
        hidden = source.line("secret", v=act) if source.chance(30) else source.idle_secret()
        people.append(person(source.persona(source.of("personas")), source.line("goal", v=act, V=capital(act)), hidden))
    return source.line("scenario", a=acts[0], b=acts[1]), people, {"acts": acts}


FAMILIES = {"friend": friend, "divide": divide, "price": price, "meet": meet, "secret": secret, "know": know, "wish": wish}
SCORED = [name for name in FAMILIES if name != "wish"]  # a wish has no outcome that a rule could tell


def make_scenario(family, side, seed):
    """The scenario of a family that this seed gives; side is "train" or "heldOut"."""
    text, people, facts = FAMILIES[family](Source(family, side, seed))
    return {"family": family, "side": side, "seed": seed, "text": text, "people": people, "facts": facts}


def briefing(scenario, agent):
    """What one agent is told, as src/agent-node/system-prompt.ts writes it."""
    told = scenario["people"][agent]
    lines = [("Scenario", scenario["text"]), ("You", told["persona"]), ("Goal", told["goal"]), ("Secret", told["secret"])]
    return "\n".join(f"{label}: {text.strip()}" for label, text in lines if text.strip())
