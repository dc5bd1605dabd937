"""Random transactions on a session: most are accepted, some are refused, and both must leave everybody with one document."""

import continuo

KINDS = ("track", "bus", "container")
INSERTS = ("eq", "gain", "compressor", "delay")


class RandomEdits:
    def __init__(self, random, name):
        self.random = random
        self.name = name
        self.made = 0

    def fill(self, tx, document):
        """One to four operations, about what is there."""
        nodes = [(path, node["type"]) for path, node in continuo.walk(document)]
        for _ in range(self.random.randint(1, 4)):
            self.one(tx, nodes, document)

    def one(self, tx, nodes, document):
        random = self.random
        path, kind = random.choice(nodes) if nodes else ("", "")
        choice = random.randrange(24)
        if not nodes or (choice < 3 and len(nodes) < 40):
            self.made += 1
            parent = path + "/" if kind == "container" else ""
            before = document["nodes"][0]["id"] if nodes and not parent and random.random() < 0.3 else None
            tx.add_node(f"{parent}{self.name}{self.made}", random.choice(KINDS), before=before,
                        params={"gain_db": -3.5} if not parent and choice == 0 and not nodes else None)
        elif choice < 5 and kind in ("track", "bus"):
            self.made += 1
            child = random.choice(INSERTS + ("player",))
            tx.add_node(f"{path}/{self.name}{self.made}", child, label=random.choice(("", "one")))
        elif choice == 5 and len(nodes) > 15:
            tx.remove_node(path)
        elif choice < 8:
            self.move(tx, path, kind, nodes)
        elif choice < 10:
            tx.connect(path, random.choice(["out", "out:2", random.choice(nodes)[0]]), gain_db=random.choice((None, 0.0, -6.25)))
        elif choice == 10 and document.get("connections"):
            connection = random.choice(document["connections"])
            tx.disconnect(connection["from"], connection["to"])
        elif choice < 15 and kind in ("track", "bus"):
            tx.set_params(path, {"gain_db": random.choice((0, -6, -12.125)), "mute": random.random() < 0.3}, ramp_ms=5)
        elif choice == 15:
            tx.set_label(path, random.choice(("", "Käse \"and\" \n wine", path)))
        elif choice < 18 and kind in ("track", "bus"):
            self.lane(tx, path)
        elif choice == 18:
            tx.set_label(random.choice(("in", "out")), random.choice(("", "the device")))
        elif choice < 21:
            self.queue(tx, nodes)
        elif choice < 23:
            self.cue(tx, path, document)
        else:
            random.choice((tx.play, tx.stop, lambda: tx.locate(0)))()

    def move(self, tx, path, kind, nodes):
        parents = [""] + [other for other, type in nodes if type == "container"]
        siblings = [other for other, _ in nodes if other.rpartition("/")[0] == path.rpartition("/")[0]]
        what = self.random.randrange(3)
        if what == 0:
            tx.move_node(path, before=self.random.choice(siblings).rpartition("/")[2])
        elif what == 1:
            self.made += 1
            tx.move_node(path, id=f"{self.name}{self.made}")
        elif kind in KINDS:
            tx.move_node(path, self.random.choice(parents))

    def lane(self, tx, path):
        what = self.random.randrange(3)
        if what == 0:
            tx.automate(f"{path}.pan", [(0, -1), (4800, 0.25, "hold"), (9600, 1)], on=self.random.choice((None, True, False)))
        elif what == 1:
            tx.automate(f"{path}.pan", on=self.random.random() < 0.5)
        else:
            tx.clear_automation(f"{path}.pan")

    def queue(self, tx, nodes):
        players = [path for path, type in nodes if type == "player"]
        if players:
            player = self.random.choice(players)
            what = self.random.randrange(4)
            if what < 2:
                tx.queue_insert(player, ["media:a.wav", {"file": "media:b.wav", "gain_db": -3, "loops": 2}])
            elif what == 2:
                tx.queue_remove(player, continuo.number(1))
            else:
                tx.queue_set(player, continuo.number(1), {"fade_in_ms": 12.5})

    def cue(self, tx, path, document):
        cues = [cue["name"] for cue in document.get("cues", [])]
        if len(cues) < 2:
            step = continuo.Operations()
            step.stop()
            step.locate(0)
            self.made += 1
            tx.cue_insert(f"{self.name}{self.made}", step, label=path)
        elif self.random.random() < 0.5:
            tx.cue_remove(*cues)
        else:
            tx.cue_set(self.random.choice(cues), label=self.random.choice(("", "again")))
