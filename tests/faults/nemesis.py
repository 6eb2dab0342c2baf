# SPDX-License-Identifier: PostgreSQL
"""What is done to a cluster, and when: a pure function from a seed to a schedule.

A seed is a number of rounds.  In each, one to four faults come at random times, alone or on top of
each other; then everything is healed and switched on, and the cluster must be whole again without
hand work before the next round begins.  PRIMARY and STANDBY in the words of a fault stand for the
nodes that are it when the round begins: which node that is, is the cluster's to decide.
"""

import dataclasses
import random

from lablib.faults_day import KINDS

PRIMARY, STANDBY, WITNESS, CLIENT = "PRIMARY", "STANDBY", "witness", "client"
ROUNDS = 10

# Nothing of these is a fault: they end one.
REMEDIES = ("heal", "boot", "thaw", "day-over")

# Left out, each with its reason.  What the design leaves to a person is no failure of a run that
# has no person in it; everything else must come right by itself.
EXCEPTIONS = {
    "wipe-record with another fault in its round":
        "the row that says who may serve is gone until the primary wrote it anew: a primary that is "
        "lost meanwhile leaves nobody who may (docs/safety.md, rows that are not to be trusted)",
    "day NODE pg_ctl-promote":
        "the person makes a second writer, and nothing of ours can refuse: until it is seen and fenced it "
        "acknowledges what comes to it directly (docs/safety.md, what is not promised)",
    "rebuild = by-hand":
        "a data directory that a full disk or a kill left beyond pg_rewind waits for a person by "
        "default; these runs set rebuild = automatic",
}


@dataclasses.dataclass(frozen=True)
class Act:
    """at_ms: since its round began.  until_ms: when its remedy comes; None: with the healing of all."""
    at_ms: int
    words: tuple[str, ...]
    until_ms: int | None = None
    remedy: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Round:
    number: int
    acts: tuple[Act, ...]
    length_ms: int
    heal_at_ms: int | None = None  # everything is healed in the middle too, and nobody waits for it


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What the schedule must know of the lab."""
    record: bool = True       # the witness is a server
    pg_vrrp: bool = True      # the guard and the helpers run
    systemd: bool = False     # its hosts have one


def _some(rng: random.Random, least: int, most: int, step: int = 1) -> str:
    return str(rng.randrange(least, most + 1, step))


def _host(rng: random.Random) -> str:
    return rng.choices((PRIMARY, STANDBY, WITNESS), (6, 3, 2))[0]


def _node(rng: random.Random) -> str:
    return rng.choices((PRIMARY, STANDBY), (3, 2))[0]


def _crash(rng, cluster):
    return ("crash", _host(rng) if cluster.record else _node(rng))


def _power_off(rng, _cluster):
    return ("power-off", _host(rng))


def _isolate(rng, _cluster):
    return ("isolate", _host(rng))


def _pair(rng) -> tuple[str, str]:
    pairs = ((PRIMARY, STANDBY), (PRIMARY, WITNESS), (STANDBY, WITNESS), (PRIMARY, CLIENT))
    pair = rng.choices(pairs, (5, 3, 3, 1))[0]
    return pair if rng.random() < 0.5 else pair[::-1]


def _cut(rng, _cluster):
    return ("cut", *_pair(rng))


def _half_cut(rng, _cluster):
    return ("half-cut", *_pair(rng))


def _drop(rng, _cluster):
    return ("drop", _some(rng, 10, 80, 10) + "%", *_pair(rng))


def _freeze(rng, cluster):
    kinds = ["all", "postgres", "keepalived", "sshd"] + (["guard", "watch"] if cluster.pg_vrrp else [])
    host = _host(rng)
    return ("freeze", host, "all" if host == WITNESS else rng.choice(kinds))


def _kill(rng, cluster):
    kinds = ["keepalived", "backend", "sshd"] + (["guard", "guard", "watch"] if cluster.pg_vrrp else [])
    return ("kill", _node(rng), rng.choice(kinds))


def _hunt_check(rng, _cluster):
    return ("hunt", _node(rng), rng.choice(("check_answer", "check_primary", "witness_record")),
            _some(rng, 0, 60) + "ms", rng.choices(("kill", "freeze"), (3, 1))[0])


def _restart(rng, cluster):
    if cluster.record and rng.random() < 0.4:
        return ("restart", WITNESS)
    return ("restart", _node(rng), rng.choice(["keepalived", "keepalived"]
                                              + (["guard"] if cluster.pg_vrrp else [])))


def _reload(rng, _cluster):
    return ("reload", _node(rng), "keepalived")


def _fill_disk(rng, cluster):
    host = _host(rng) if cluster.record else _node(rng)
    return ("fill-disk", host, "data" if host == WITNESS else rng.choice(("data", "state", "all")))


def _slow_disk(rng, cluster):
    host = _host(rng) if cluster.record else _node(rng)
    return ("slow-disk", host, _some(rng, 50, 2000, 50) + "ms")


def _clock(rng, cluster):
    host = _host(rng) if cluster.record else _node(rng)
    return ("clock", host, rng.choice("+-") + rng.choice(("2", "30", "3600", "86400", "31536000")))


def _exhaust(rng, _cluster):
    return ("exhaust", _node(rng), rng.choice(("connections", "processes", "files")))


def _wipe_record(_rng, _cluster):
    return ("wipe-record",)


# What comes how often.
WEIGHTS = {
    _crash: 10, _power_off: 9, _isolate: 7, _cut: 8, _half_cut: 7, _drop: 6, _freeze: 12, _kill: 9,
    _hunt_check: 5, _restart: 5, _reload: 2, _fill_disk: 6, _slow_disk: 6, _clock: 5, _exhaust: 8,
    _wipe_record: 1,
}

# A helper that runs only when something happened is hunted while that happens.
HUNTS = (
    ("promote_safe", STANDBY, (("crash", PRIMARY), ("power-off", PRIMARY), ("isolate", PRIMARY))),
    ("rejoin", PRIMARY, (("crash", PRIMARY), ("kill", PRIMARY, "backend"))),
    ("rejoin", STANDBY, (("crash", STANDBY),)),
    ("fence_self", PRIMARY, (("crash", PRIMARY), ("freeze", PRIMARY, "postgres"))),
    ("fence_old", STANDBY, (("crash", PRIMARY), ("freeze", PRIMARY, "postgres"))),
    ("pg_rewind", PRIMARY, (("crash", PRIMARY),)),
    ("pg_ctl", PRIMARY, (("crash", PRIMARY),)),
    ("replication_slots", PRIMARY, (("crash", PRIMARY), ("power-off", STANDBY))),
    ("replication_slots", STANDBY, (("crash", PRIMARY), ("isolate", PRIMARY))),
    ("witness_record", PRIMARY, (("crash", PRIMARY),)),
)
HUNT_SHARE = 0.15
REMEDY_SHARE = 0.4
HEAL_SHARE = 0.15


# What comes with what a person does on an ordinary day, and how often nothing does.
DAY_FAULTS = (_crash, _power_off, _isolate, _cut, _restart, _kill)
QUIET_SHARE = 0.4


def ordinary(seed: int, cluster: Cluster = Cluster(), rounds: int = ROUNDS) -> list[Round]:
    """What people do (lablib/faults_day.py): each kind in turn, in another order with each seed, alone or
    with a fault a moment later.  It is taken back when all is healed."""
    rng = random.Random(f"pg_vrrp days {seed}")
    kinds = [what for what, kind in KINDS.items()
             if kind.drawn and (cluster.record or not kind.record)
             and (cluster.systemd or not kind.systemd)]
    found: list[Round] = []
    while len(found) < rounds:
        for what in rng.sample(kinds, len(kinds)):
            found.append(_day(rng, len(found) + 1, what, cluster))
    return found[:rounds]


def _day(rng: random.Random, number: int, what: str, cluster: Cluster) -> Round:
    node = {"primary": PRIMARY, "standby": STANDBY}.get(KINDS[what].role) or _node(rng)
    acts = [Act(0, ("day", node, what))]
    if rng.random() >= QUIET_SHARE:
        words = rng.choice(DAY_FAULTS)(rng, cluster)
        acts.append(Act(rng.randrange(500, 4000, 100), words))
    return Round(number, tuple(acts), acts[-1].at_ms + rng.randrange(4000, 9000, 100))


def schedule(seed: int, cluster: Cluster = Cluster(), rounds: int = ROUNDS) -> list[Round]:
    rng = random.Random(f"pg_vrrp {seed}")
    return [_round(rng, number, cluster) for number in range(1, rounds + 1)]


def _round(rng: random.Random, number: int, cluster: Cluster) -> Round:
    if cluster.pg_vrrp and rng.random() < HUNT_SHARE:
        acts = _hunt(rng)
    else:
        acts = _faults(rng, cluster)
    last = max(act.at_ms for act in acts)
    length = last + rng.randrange(4000, 9000, 100)
    heal = None
    if rng.random() < HEAL_SHARE:
        heal = last + rng.randrange(500, 3000, 100)
        acts.append(_fault(rng, cluster, heal + rng.randrange(200, 3000, 100), []))
        length = heal + rng.randrange(5000, 9000, 100)
    acts = [_with_remedy(rng, act, length) for act in acts]
    return Round(number, tuple(acts), length, heal)


def _faults(rng: random.Random, cluster: Cluster) -> list[Act]:
    count = rng.choices((1, 2, 3, 4), (35, 40, 18, 7))[0]
    at = 0
    acts: list[Act] = []
    for _ in range(count):
        acts.append(_fault(rng, cluster, at, acts))
        at += rng.choice((0, rng.randrange(100, 1000, 50), rng.randrange(1000, 6000, 100)))
    if any(act.words[0] == "wipe-record" for act in acts):
        acts = [Act(0, ("wipe-record",))]
    return acts


def _fault(rng: random.Random, cluster: Cluster, at: int, before: list[Act]) -> Act:
    weights = {make: weight for make, weight in WEIGHTS.items()
               if _has_record(make, cluster) and (make is not _hunt_check or cluster.pg_vrrp)}
    alone = bool(before) or at > 0
    while True:
        words = rng.choices(list(weights), list(weights.values()))[0](rng, cluster)
        if alone and words[0] == "wipe-record":
            continue
        if not _impossible(words, [act.words for act in before]):
            return Act(at, words)


def _has_record(make, cluster: Cluster) -> bool:
    return cluster.record or make is not _wipe_record


def _impossible(words: tuple[str, ...], before: list[tuple[str, ...]]) -> bool:
    """Twice the same, or something on a host that is off, or that is paused as a whole."""
    gone = {other[1] for other in before
            if other[0] == "power-off" or other[0] == "freeze" and other[2] == "all"}
    return words in before or (words[0] not in ("cut", "half-cut", "drop", "isolate")
                               and bool(gone & set(words)))


def _hunt(rng: random.Random) -> list[Act]:
    program, where, triggers = rng.choice(HUNTS)
    delay = rng.choice((rng.randrange(0, 100), rng.randrange(100, 3000)))
    way = rng.choices(("kill", "freeze"), (4, 1))[0]
    acts = [Act(0, ("hunt", where, program, f"{delay}ms", way))]
    acts.append(Act(rng.randrange(0, 500, 50), rng.choice(triggers)))
    return acts


def _with_remedy(rng: random.Random, act: Act, length: int) -> Act:
    """Some faults end before the round does."""
    remedies = {
        "power-off": lambda words: ("boot", words[1]), "freeze": lambda words: ("thaw", words[1]),
        "drop": lambda words: ("drop", "0%", *words[2:]),
        "slow-disk": lambda words: ("slow-disk", words[1], "0ms"),
        "clock": lambda words: ("clock", words[1], "0"),
    }
    make = remedies.get(act.words[0])
    if make is None or rng.random() >= REMEDY_SHARE or act.at_ms + 1000 >= length:
        return act
    until = rng.randrange(act.at_ms + 500, length, 100)
    return dataclasses.replace(act, until_ms=until, remedy=make(act.words))
