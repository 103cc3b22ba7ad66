"""Does what the steps of a vector say; `test_vectors` compares."""

import json
from dataclasses import asdict, fields, is_dataclass
from inspect import signature
from itertools import zip_longest

import callsteer
from callsteer import Destination, Dispatcher, Picked, Placed, Report

NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
# What a step says of dataclasses that say more.
SAID = {
    "Status": ("standing", "will", "observed", "busy_until", "calls", "load", "elsewhere"),
    "Capacity": ("load", "capacity", "members", "slots", "busiest", "utilisation", "desired"),
}


class Driver:
    def __init__(self, config, now=0):
        self.dispatcher, self.now, self.plan = Dispatcher(clock=lambda: self.now, **config), now, None
        self.who, self.leases, self.calls = {}, {}, {}

    def state(self, who):
        return self.plain(self.dispatcher.status(self.who[who])) if who in self.who else None

    def do(self, do, given):
        """Does what a step says, and gives what it gives."""
        own = {
            "new": lambda config: self.__init__(config, self.now),
            "apply": lambda: self.dispatcher.apply(self.plan),
            "begin": lambda **call: self.begin(call, known=False),
            "repeat": lambda **call: self.begin(call, known=True),
            "picks": lambda calls, replies=(): [self.brief(*pair) for pair in zip_longest(calls, replies)],
            "estimates": lambda **ask: {at.destination: at.estimate for at in self.call("explain", ask).rows},
            "reconcile": lambda who, calls=(), count=None: self.reconcile(self.who[who], calls, count),
            "read_report": read_report,
            "score": lambda resources, measured: callsteer.score(measured, **resources),
            "blocking": callsteer.erlang_b,
            "slots_for": callsteer.slots_for,
            "poll_probes": lambda: sorted(map(self.plain, iter(self.dispatcher.poll_probe, None))),
            "poll_events": lambda: list(iter(self.dispatcher.poll_event, None)),
            "delta": lambda full=False: json.loads(self.dispatcher.delta(full=full) or "null"),
            "merge": lambda delta: self.dispatcher.merge(json.dumps(delta)),
            "replicas": lambda: [[at.id, at.lost, at.calls] for at in self.dispatcher.replicas()],
            "call_of": lambda call: self.calls.get(self.dispatcher.call_of(call)),
        }
        given = own[do](**given) if do in own else self.call(do, given)
        self.who |= {self.plain(destination): destination for destination, _ in self.dispatcher}
        return self.plain(given)

    def call(self, do, given):
        """A command that the façade has by this name: first what it is about, then options."""
        command = getattr(self.dispatcher, do)
        by_lease = "lease" in signature(command).parameters
        subjects = {
            "who": self.who.get,
            "call": lambda call: self.leases.get(call, call) if by_lease else call,
            "destination": lambda fields: Destination(**fields),
            "list": lambda pairs: [(set, Destination(**fields)) for set, fields in pairs],
            "report": lambda said: Report(**{key: NUMBERS.get(value, value) for key, value in said.items()}),
        }
        about = [read(given[key]) for key, read in subjects.items() if key in given]
        options = {key.replace("class", "cls"): given[key] for key in given if key not in subjects}
        answer = command(*about, **options)
        return None if do in ("add", "update") else answer

    def begin(self, call, known):
        placed, call = self.call("begin", call), call["call"]
        assert (placed.lease in self.calls) == (self.leases.get(call) == placed.lease) == known, placed
        self.leases[call], self.calls[placed.lease] = placed.lease, call
        return placed

    def brief(self, call, reply):
        placed = self.dispatcher.begin(call)
        if reply == 200:
            self.dispatcher.confirm(placed.lease)
        elif reply:
            self.dispatcher.fail(placed.lease, reply)
        self.dispatcher.end(placed.lease)
        return placed

    def reconcile(self, who, calls, count):
        done = self.dispatcher.reconcile(who, calls if count is None else count)
        self.leases |= {call: lease for call in calls if (lease := self.dispatcher.call_of(call))}
        self.calls |= {lease: call for call, lease in self.leases.items()}
        return done

    def plain(self, answer):
        """An answer as a step writes it."""
        match answer:
            case Destination(set=set, id=id):
                return id if set == 1 else f"{set}/{id}"
            case Placed(destination=to, panic=panic) | Picked(destination=to, panic=panic):
                return {"to": self.plain(to), "panic": True} if panic else self.plain(to)
            case callsteer.Plan():
                self.plan = answer
                return str(answer).splitlines()
            case callsteer.Explanation(destination=to, error=error, rows=rows):
                rows = [[row.route, self.plain(row.destination), row.standing, row.key] for row in rows]
                return {"rows": rows} | ({"error": error.code} if error else {"to": self.plain(to)})
            case list():
                return [self.plain(each) for each in answer]
            case dict():
                return {self.plain(key): self.plain(value) for key, value in answer.items()}
        return self.dataclass(answer) if is_dataclass(answer) else answer

    def dataclass(self, answer):
        said = {field.name: self.plain(getattr(answer, field.name)) for field in fields(answer)}
        if (failed := said.pop("failed_probes", 0)) > 0:
            said["observed"] = {"trying": failed}
        if isinstance(answer, callsteer.Event):
            said = {{"destination": "who", "lease": "call"}.get(key, key): said[key] for key in said}
            said |= {"event": answer.kind} | ({"call": self.calls[said["call"]]} if "call" in said else {})
            if answer.kind == "ejected":
                share = {"failed": said.pop("failed"), "of": said.pop("of")}
                said["cause"] = {said["cause"]: share if said["cause"] == "share" else share["of"]}
        return {key: said[key] for key in SAID.get(type(answer).__name__, said)}


def read_report(form, text):
    said = asdict(getattr(callsteer, f"read_{form}".replace("read_json", "read_report"))(text))
    besides = {key: said[key] for key in ("metrics", "operational", "description", "unknown") if key in said}
    return {key: value for key, value in (said.get("report", said) | besides).items() if value is not None}
