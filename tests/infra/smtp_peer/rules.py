"""The script of a peer: at which stage, for whom, how often, what happens instead of the ordinary reply."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """Where a rule can speak. `CHUNK` is each piece of content as it arrives, `FINAL` the final dot."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CHUNK = "chunk"
    FINAL = "final"
    RSET = "rset"
    QUIT = "quit"


class Action(StrEnum):
    """What a rule does: `PASS` goes on as usual (after the delay), `REPLY_DROP` answers and then cuts the line."""

    PASS = "pass"
    REPLY = "reply"
    DROP = "drop"
    SILENT = "silent"
    REPLY_DROP = "reply_drop"


class Per(StrEnum):
    """What `skip` and `times` are counted by."""

    RULE = "rule"
    RECIPIENT = "recipient"
    SENDER = "sender"
    MESSAGE = "message"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a transaction when a stage is reached."""

    connection: int
    sender: str = ""
    recipients: tuple[str, ...] = ()
    message_id: str = ""
    user: str = ""
    received: int = 0

    def key(self, per: Per) -> tuple[str, ...]:
        """The identity the occurrences of a rule are counted by."""
        return {
            Per.RULE: (),
            Per.RECIPIENT: self.recipients[-1:],
            Per.SENDER: (self.sender,),
            Per.MESSAGE: (self.message_id,),
            Per.CONNECTION: (str(self.connection),),
        }[per]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the script.

    `recipient`, `sender`, `message_id`, `user` are regular expressions searched for (empty: anything; `recipient`
    looks at the address of an RCPT, elsewhere at every accepted one). `after_bytes` holds a CHUNK rule back until so
    much content came. The first `skip` matches are let pass, the rule speaks `times` times (0: for ever).
    """

    stage: Stage
    action: Action = Action.REPLY
    code: int = 451
    text: str = "4.7.1 try again later"
    delay: float = 0.0
    recipient: str = ""
    sender: str = ""
    message_id: str = ""
    user: str = ""
    after_bytes: int = 0
    probability: float = 1.0
    skip: int = 0
    times: int = 0
    per: Per = Per.RULE

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Rule:
        """Read a rule from JSON values; raises TypeError or ValueError for what is not a rule."""
        read = dict(raw)
        for name, kind in (("stage", Stage), ("action", Action), ("per", Per)):
            if name in read:
                read[name] = kind(read[name])
        return cls(**read)

    def as_json(self) -> dict[str, Any]:
        """The rule as JSON values."""
        return asdict(self)

    def matches(self, stage: Stage, facts: Facts) -> bool:
        """Whether this rule is about what happens now, leaving counts and chance aside."""
        if stage is not self.stage or facts.received < self.after_bytes:
            return False
        asked = facts.recipients[-1:] if stage is Stage.RCPT else facts.recipients
        return (
            (not self.recipient or any(re.search(self.recipient, one) for one in asked))
            and bool(re.search(self.sender, facts.sender))
            and bool(re.search(self.message_id, facts.message_id))
            and bool(re.search(self.user, facts.user))
        )


@dataclass(slots=True)
class RuleBook:
    """The rules in force and how often each has been met; the first that speaks wins."""

    seed: int = 1
    _rules: list[Rule] = field(default_factory=list)
    _met: Counter[tuple[int, tuple[str, ...]]] = field(default_factory=Counter)
    _stages: frozenset[Stage] = frozenset()
    _chance: random.Random = field(default_factory=random.Random)

    def replace(self, rules: Iterable[Rule]) -> None:
        """Put other rules in force and forget all counts; chance starts at the seed again."""
        self._rules = list(rules)
        self._met.clear()
        self._stages = frozenset(rule.stage for rule in self._rules)
        self._chance = random.Random(self.seed)

    def decide(self, stage: Stage, facts: Facts) -> Rule | None:
        """The rule that speaks at this stage, or None for the ordinary course."""
        if stage not in self._stages:
            return None
        for number, rule in enumerate(self._rules):
            if rule.matches(stage, facts) and self._speaks(number, rule, facts):
                return rule
        return None

    def _speaks(self, number: int, rule: Rule, facts: Facts) -> bool:
        if rule.probability < 1.0 and self._chance.random() >= rule.probability:
            return False
        mark = (number, facts.key(rule.per))
        self._met[mark] += 1
        spoken = self._met[mark] - rule.skip
        return spoken > 0 and (rule.times == 0 or spoken <= rule.times)
