"""Task dialogues as token sequences: two views each, as views.py makes them, but a speaker learns its own turns only.

What the other says follows from facts that this speaker is not told; it learns those words in the other view.
"""
from ..chat import ASSISTANT, USER, render_ids
from ..views import end_to_end, marked_ids
from .scenario import FAMILIES, briefing, make_scenario
from .talk import make_dialogue
from .widen import widened

# How many dialogues of each family in a hundred: most of those that small models come to settle.
SHARES = {"friend": 8, "divide": 12, "price": 18, "meet": 18, "secret": 22, "know": 18, "wish": 4}


def own_turns(tokens, ids, talk):
    """talk of render_ids, without the turns of the other."""
    own, learned = False, []
    starts = {tokens.id_of(USER): False, tokens.id_of(ASSISTANT): True}
    for token, counts in zip(ids, talk):
        own = starts.get(token, own)
        learned.append(counts if own else 0)
    return learned


def task_views(tokens, scenario, turns):
    """Both views of a dialogue about a scenario."""
    for agent in (0, 1):
        roles = [(ASSISTANT if turn % 2 == agent else USER, text) for turn, text in enumerate(turns)]
        ids, talk = render_ids(tokens, briefing(scenario, agent), roles)
        yield marked_ids(ids, own_turns(tokens, ids, talk))


def encode_tasks(tokens, side, count, first_seed=0):
    """Arrays `tokens` and `starts` of about `count` dialogues, a scenario each."""
    views = []
    for family in FAMILIES:
        for seed in range(first_seed, first_seed + count * SHARES[family] // 100):
            scenario = make_scenario(family, side, seed)
            if side == "train":
                scenario = widened(scenario)
            views.extend(task_views(tokens, scenario, make_dialogue(scenario, seed)))
    return end_to_end(views)
