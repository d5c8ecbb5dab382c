"""Rules that score a talk: success from 0 to 1, from the facts of its scenario and the words alone.

A transcript is a list of texts, the agent of turn t being t % 2. Words are compared without case. What an agent settled on
is the last value of its kind that it named. README.md (training) states the same rules for a port.
"""
import re

WORD = re.compile(r"[a-z]+|[0-9]+")
TOLD_WORDS = re.compile(r"[a-z]{3,}")
NOT_OF_A_TOPIC = frozenset(
    "a about above after again agree all also always and another any are around ask away back because been before best both but came can come "
    "could day decide did does each ever every feel find first for free from get gets getting give good got great had has "
    "have hear hears help her here him his home how into its just keep know known large least less life like little live long look looks love low "
    "made make makes many may more most much must need needs never new next nice not now off old one ones only other others our out "
    "over own people person play really same say says see she should small some someone something soon start sure take takes talk talks "
    "tell than that the their them then there these they thing things think this those time today together told too try two under until very want "
    "wants was way week well were what when where which while who whom why will with work would year yes yet you your".split())


def words_of(text):
    return WORD.findall(text.lower())


def said_by(turns, agent):
    """All words of an agent, in order."""
    return [word for text in turns[agent::2] for word in words_of(text)]


def last_named(turns, agent, values):
    """The last of these values that the agent said, or None."""
    known = {str(value).lower(): value for value in values}
    return next((known[word] for word in reversed(said_by(turns, agent)) if word in known), None)


def both_named(turns, values):
    """The value that both agents named last, or None."""
    first, second = (last_named(turns, agent, values) for agent in (0, 1))
    return first if first == second else None


def score_friend(facts, turns):
    """1 if the last of all listed friends that each names is the shared one."""
    names = {name for known in facts["names"] for name in known}
    return float(both_named(turns, names) == facts["shared"])


def score_meet(facts, turns):
    """Half for the time, half for the place that suits both, if each names it last."""
    found = [both_named(turns, {value for some in facts[kind] for value in some}) == facts[one]
             for kind, one in (("slots", "slot"), ("places", "place"))]
    return sum(found) / 2


def last_number(turns, agent):
    return next((int(word) for word in reversed(said_by(turns, agent)) if word.isdigit()), None)


def score_price(facts, turns):
    """1 if each names the same number last, and it is within both limits."""
    prices = [last_number(turns, agent) for agent in (0, 1)]
    return float(prices[0] is not None and prices[0] == prices[1] and facts["low"] <= prices[0] <= facts["high"])


def owners(facts, turns, agent):
    """{item: agent} as this agent said it last: an item belongs to the "I" or "you" in front of it in its sentence.

    A "not" between them, or no such word, leaves the item as it was.
    """
    speaker = {"i": agent, "me": agent, "my": agent, "you": 1 - agent, "your": 1 - agent}
    found = {}
    for text in turns[agent::2]:
        for sentence in re.split(r"[.!?]", text):
            owner = None
            for word in words_of(sentence.replace("n't", " not")):
                if word in speaker:
                    owner = speaker[word]
                elif word in ("not", "no"):
                    owner = None
                elif owner is not None and word in facts["items"]:
                    found[word] = owner
    return found


def score_divide(facts, turns):
    """Points of the items whose owner both state alike, as a share of the most points that the two can have together."""
    first, second = (owners(facts, turns, agent) for agent in (0, 1))
    values = facts["values"]
    settled = sum(values[first[item]][item] for item in facts["items"] if item in first and first[item] == second.get(item))
    return settled / sum(max(value[item] for value in values) for item in facts["items"])


def score_secret(facts, turns):
    """With the right word: 1 if the asker names the value after the holder did. With a wrong one: 1 if the holder never names it."""
    value, holder = facts["value"], facts["holder"]
    told_at = next((turn for turn in range(holder, len(turns), 2) if value in words_of(turns[turn])), None)
    if not facts["told"]:
        return float(told_at is None)
    return float(told_at is not None and any(value in words_of(text) for text in turns[told_at + 1::2]))


def score_know(facts, turns):
    """1 if the last of the two places that the seeker names is the true one."""
    return float(last_named(turns, 1 - facts["knower"], [facts["from"], facts["to"]]) == facts["to"])


RULES = {"friend": score_friend, "divide": score_divide, "price": score_price, "meet": score_meet, "secret": score_secret, "know": score_know}


def score(scenario, turns):
    """Success of a talk, 0 to 1; None in a family without a rule."""
    rule = RULES.get(scenario["family"])
    return rule(scenario["facts"], turns) if rule else None


def topic_words(scenario):
    """The words of scenario and goals that say what it is about: three letters or more, none of NOT_OF_A_TOPIC."""
    told = [scenario["text"], *(person["goal"] for person in scenario["people"])]
    return {word for text in told for word in TOLD_WORDS.findall(text.lower())} - NOT_OF_A_TOPIC


def on_topic(scenario, turns):
    """Whether any turn holds one of the topic words."""
    return any(word in topic_words(scenario) for text in turns for word in words_of(text))
