"""Other words for the values of a training scenario: a model that has met sixty names learns the names, not to copy them.

Most values (names, things, places, words) become invented words, or words of other lists of the training side. What a model is
scored on never comes up.
"""
import random
import re

from .scenario import GRAMMAR, capital

STARTS = "b c d f g h j k l m n p r s t v w z b c d f g h l m n p r s t br ch cl dr fl gr pl sh sl sp st th tr".split() + [""]
MIDDLES = "a e i o u a e i o u ea oo".split()
ENDS = ["", "", "", *"n r l t s m d k p x st nd ck ng rt ll ss".split()]
LISTS = {"friend": ["names"], "divide": ["items"], "price": ["items"], "meet": ["places"], "secret": ["values", "words", "things"],
         "know": ["things", "places"]}
INVENTED, BORROWED = 0.55, 0.2  # chance of each; else the word stays


def listed(side):
    return [word for family, names in LISTS.items() for name in names for word in GRAMMAR[family][name][side]]


KNOWN, KEPT_OUT = listed("train"), {word.lower() for word in listed("heldOut")}


def invented(rng):
    syllables = rng.choices((1, 2, 3), (0.4, 0.55, 0.05))[0]
    return "".join(rng.choice(STARTS) + rng.choice(MIDDLES) + (rng.choice(ENDS) if last == syllables - 1 or rng.random() < 0.3 else "")
                   for last in range(syllables))


def values_of(scenario):
    """The words that may be any other."""
    facts, family = scenario["facts"], scenario["family"]
    if family == "friend":
        return sorted({name for known in facts["names"] for name in known})
    if family == "meet":
        return sorted({place for near in facts["places"] for place in near})
    if family == "divide":
        return facts["items"]
    names = {"price": ["item"], "secret": ["value", "word", "said"], "know": ["thing", "from", "to", "mover"]}.get(family, [])
    return sorted({facts[name] for name in names})


def replaced(part, other):
    """The same text, list or dictionary with other words."""
    if isinstance(part, str):
        return re.sub(r"\w+", lambda found: other.get(found.group(), found.group()), part)
    if isinstance(part, dict):
        return {replaced(name, other): replaced(value, other) for name, value in part.items()}
    return [replaced(value, other) for value in part] if isinstance(part, list) else part


def widened(scenario):
    """The scenario with other values, the same for the same scenario."""
    rng = random.Random(f"widen/{scenario['family']}/{scenario['seed']}")
    other, taken = {}, set(re.findall(r"\w+", str(scenario).lower()))
    for value in values_of(scenario):
        way = rng.random()
        word = invented(rng) if way < INVENTED else rng.choice(KNOWN).lower() if way < INVENTED + BORROWED else value
        if word != value and len(word) > 1 and word.lower() not in taken | KEPT_OUT:
            taken.add(word)
            other[value] = capital(word) if value[0].isupper() else word
    keep = {name: scenario[name] for name in ("family", "side", "seed")}
    people = [{line: replaced(text, other) for line, text in person.items()} for person in scenario["people"]]
    fixed = {name: value for name, value in scenario["facts"].items() if name in ("kind", "thing") and scenario["family"] == "meet"}
    keys = scenario["facts"]
    facts = {name: replaced(value, other) for name, value in keys.items()}
    return {**keep, "text": replaced(scenario["text"], other), "people": people, "facts": {**facts, **fixed}}
