"""What the two do in each family, from the facts of a scenario: offers, answers, refusals, and an agreement.

Each play adds turns to a Talk (talk.py), whose `me` is who speaks next.
"""
from .scenario import capital, joined


def play_friend(talk):
    names, shared = talk.facts["names"], talk.facts["shared"]
    if talk.chance(0.8):
        if talk.chance(0.3):
            talk.say("friendAsk").end()
        talk.say("friendList", names=joined(names[talk.me])).end()
        if talk.chance(0.15):
            talk.say("friendList", names=joined(names[talk.me])).end()
        talk.say("friendYes", name=shared).end()
    else:
        tried = set()
        while True:
            name = talk.rng.choice([name for name in names[talk.me] if name not in tried])
            talk.say("friendTry", name=name).end()
            if name == shared:
                talk.say("friendYes", name=name).end()
                break
            tried.add(name)
            talk.say("friendNo", name=name)
    talk.say("friendDone", name=shared).end()


def things(items):
    return joined([f"the {item}" for item in items])


def split_fairly(talk, known):
    """Who gets what, as far as `me` can know: own wants, and what the other has said (top, and perhaps least)."""
    items, me = talk.facts["items"], talk.me
    mine, other = talk.facts["values"][me], talk.facts["values"][1 - me]
    top, theirs = max(mine, key=mine.get), max(other, key=other.get)
    third = next(item for item in items if item not in (top, theirs))
    to_me = mine[third] > 0 if not known or other[third] > 0 else True
    if mine[third] > 0 and not known:
        to_me = talk.chance(0.7)
    owned = [[top], [theirs]]
    owned[0 if to_me else 1].append(third)
    order = lambda some: talk.rng.sample(some, len(some))
    return order(owned[0]), order(owned[1])


def wants(talk, share):
    """`me` says what it wants; whether it also said what it does not."""
    mine = talk.facts["values"][talk.me]
    talk.say("divideWant", top=max(mine, key=mine.get))
    if talk.chance(share):
        talk.say("divideLeast", least=min(mine, key=mine.get))
        return True
    return False


def play_divide(talk):
    first = wants(talk, 0.4)
    talk.maybe(0.7, "divideAsk").end()
    if talk.chance(0.6):
        second = wants(talk, 0.5)
        talk.end()
        known = second
    else:
        known = first
    mine, yours = split_fairly(talk, known)
    if talk.chance(0.15):
        top = yours[0] if len(yours) == 1 else max(yours, key=talk.facts["values"][1 - talk.me].get)
        greedy = [*mine, top]
        rest = [item for item in talk.facts["items"] if item not in greedy]
        if rest:
            talk.say("divideOffer", mine=things(greedy), yours=things(rest)).end()
            talk.say("divideNo", top=top)
            mine, yours = yours, mine
    talk.say("divideOffer", mine=things(mine), yours=things(yours)).end()
    talk.say("divideOk", mine=things(yours), yours=things(mine)).end()
    talk.say("divideDone")
    talk.end() if talk.chance(0.6) else talk


def concede(talk, offers, seller):
    """The next price of `me`: nearer to the other's, never beyond the own limit."""
    step = 5 * talk.rng.choice([1, 1, 2, 2, 3])
    mine, low, high = offers[talk.me], talk.facts["low"], talk.facts["high"]
    if mine is None:
        away = 5 * talk.rng.randrange(1, 6)
        return min(low + away, 95) if talk.me == seller else max(high - away, 5)
    return max(mine - step, low) if talk.me == seller else min(mine + step, high)


def accepts(talk, price, seller):
    return price >= talk.facts["low"] if talk.me == seller else price <= talk.facts["high"]


def play_price(talk):
    seller, offers = talk.facts["seller"], [None, None]
    if talk.chance(0.5):
        talk.say("priceStartSell" if talk.me == seller else "priceStart")
        if talk.chance(0.8):
            talk.end()
    while True:
        selling, other = talk.me == seller, offers[1 - talk.me]
        price = concede(talk, offers, seller)
        crossed = other is not None and (price <= other if selling else price >= other)
        if other is not None and accepts(talk, other, seller) and (crossed or talk.chance(0.75)):
            talk.say("priceYes", price=other).end()
            talk.say("priceDone", price=other).end()
            return
        if other is not None:
            talk.maybe(0.75, "priceNoSell" if selling else "priceNoBuy")
        offers[talk.me] = price
        talk.say("priceAsk" if selling else "priceBid", price=price).end()


def agree_slot(talk, on):
    free, slot = talk.facts["slots"], talk.facts["slot"]
    if talk.chance(0.6):
        if talk.chance(0.4):
            talk.say("meetOpen").end()
        talk.say("meetList", slots=joined(free[talk.me]), **on).end()
        talk.say("meetYes", slot=slot, **on)
        return
    tried = set()
    while True:
        guess = talk.rng.choice([one for one in free[talk.me] if one not in tried])
        talk.say("meetTry", slot=guess, **on).end()
        if guess == slot:
            talk.say("meetYes", slot=slot, **on)
            return
        tried.add(guess)
        talk.say("meetNo", slot=guess, **on)


def agree_place(talk, on):
    near, place = talk.facts["places"], talk.facts["place"]
    where = {"slot": talk.facts["slot"], "place": place, **on}
    way = talk.rng.random()
    if way < 0.35:
        talk.say("meetWhere").end()
        talk.say("meetPlaces", first=near[talk.me][0], second=near[talk.me][1]).end()
    elif way < 0.6:
        talk.say("meetPlaces", first=near[talk.me][0], second=near[talk.me][1]).end()
    else:
        tried = set()
        while True:
            guess = talk.rng.choice([one for one in near[talk.me] if one not in tried])
            talk.say("placeTry", place=guess).end()
            if guess == place:
                break
            tried.add(guess)
            talk.say("placeNo", place=guess)
    talk.say("meetFix", **where).end()
    talk.say("meetDone", **where).end()


def play_meet(talk):
    on = {"on": "on", "on2": "On"} if talk.facts["kind"] == "day" else {"on": "at", "on2": "At"}
    agree_slot(talk, on)
    agree_place(talk, on)


def play_secret(talk):
    facts = {**talk.facts, "Said": capital(talk.facts["said"])}
    holder = facts["holder"]
    say = lambda line: talk.say(line, **facts)
    if talk.me == holder:
        talk.say("afterBack" if talk.turns else "hello").end()
    early = talk.chance(0.25)
    say("secretAsk")
    if early:
        say("secretWord").end()
    else:
        talk.end()
        say("secretRefuse").end()
        if talk.chance(0.2):
            say("secretPress").end()
            say("secretHold").end()
        say("secretWord").end()
    if facts["told"]:
        say("secretTell").end()
        say("secretThanks").end()
        return
    say("secretWrong").end()
    for _ in range(talk.rng.choice([0, 1, 1, 2])):
        say("secretPress").end()
        say("secretHold").end()
    say("secretGiveUp").end()


def play_know(talk):
    if talk.me == talk.facts["knower"]:
        if talk.chance(0.5):
            talk.say("knowStart").end()
        else:
            talk.say("afterBack" if talk.turns else "hello").end()
    talk.say("knowAsk").maybe(0.5, "knowThink").end()
    talk.maybe(0.15, "knowNot").say("knowTell").end()
    if talk.chance(0.2):
        talk.say("knowWhich").end()
        talk.say("knowSure").end()
    talk.say("knowThanks").end()
    talk.maybe(0.7, "knowWelcome")
    talk.end()


def play_wish(talk):
    acts = talk.facts["acts"]
    say = lambda line, own=True: talk.say(line, v=acts[talk.me if own else 1 - talk.me], w=acts[1 - talk.me if own else talk.me])
    say("wishSay")
    if talk.chance(0.5):
        say("wishAsk")
    talk.end()
    for _ in range(talk.rng.choice([1, 2, 2, 3])):
        way = talk.rng.random()
        if way < 0.35:
            say("wishWhy", False).end()
            say("wishBecause").end()
        elif way < 0.6:
            say(talk.rng.choice(["wishYes", "wishNo"]), False)
            talk.end()
            say("wishSay" if talk.chance(0.3) else "wishHelp").end()
        elif way < 0.85:
            say("wishSay")
            say("wishAsk").end()
            say(talk.rng.choice(["wishYes", "wishYes", "wishNo"]), False).end()
        else:
            talk.say("tellLife").end().say("likeLife").end()
    say("wishDeal").end()


PLAYS = {"friend": play_friend, "divide": play_divide, "price": play_price, "meet": play_meet, "secret": play_secret,
         "know": play_know, "wish": play_wish}
