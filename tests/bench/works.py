"""The works of the speed table: what each session is, what it needs, what it is measured against. make_works.py writes
them to files, run_works.py runs them.

A work's `uniform` names the session that does the same work (as many EQ bands and compressors over as many samples)
with tracks as alike as can be: what an uneven session costs beside an even one is the question of the variants."""

import random
from dataclasses import dataclass, field

TRACKS = 64
GRAPH_OSCILLATORS = 1000
IMPULSE_SECONDS = 3

# The four bands of mix64; shelves of slope 1.
MIX_BANDS = [("low_shelf", 80.0, 3.0, 0.7071067811865476), ("peak", 400.0, -4.0, 1.0), ("peak", 2500.0, 2.0, 1.4),
             ("high_shelf", 10000.0, 1.5, 0.7071067811865476)]
TRACK_GAIN_DB = -6.0


@dataclass
class Work:
    name: str
    what: str
    nodes: list
    connections: list
    goal_cpu_s: float = 0.0     # for 60 s on one thread; 0: no goal of its own
    goal_memory_mib: float = 0.0
    goal_floor: float = 0.0     # times the hand-written loop
    goal_two_threads: float = 0.0
    floor: str = ""             # the mode of floor_mix64 that does the same by hand
    uniform: str = ""
    goal_uniform: float = 0.0   # times the uniform session
    needs: list = field(default_factory=list)  # types that are no part of the first house

    def session(self):
        return {"format": 1, "sample_rate_hz": 48000, "nodes": self.nodes, "connections": self.connections}


def pan_of(track, tracks=TRACKS):
    return -1.0 + 2.0 * track / (tracks - 1)


def gain():
    return {"type": "gain", "params": {"gain_db": TRACK_GAIN_DB}}


def eq(bands=None):
    params = {}
    for number, (kind, freq, gain_db, q) in enumerate(bands or MIX_BANDS, 1):
        params |= {f"band{number}.type": kind, f"band{number}.freq_hz": freq, f"band{number}.gain_db": gain_db, f"band{number}.q": q}
    return {"type": "eq", "params": params}


def compressor():
    return {"type": "compressor", "params": {"threshold_db": -30.0, "ratio": 4.0, "attack_ms": 10.0, "release_ms": 100.0,
                                             "knee_db": 0.0, "makeup_db": 0.0, "lookahead_ms": 0.0, "detector": "peak"}}


def random_bands(chance, count):
    """`count` bands, no two EQs alike; mild, so that 64 of them in a row stay sane."""
    bands = []
    for _ in range(count):
        kind = chance.choice(["low_shelf", "high_shelf", "peak", "peak"])
        bands.append((kind, round(chance.uniform(40.0, 12000.0), 1), round(chance.uniform(-4.0, 4.0), 2),
                      round(chance.uniform(0.6, 2.0), 3)))
    return bands


def track(number, chain, file=None, pan=None):
    children = [{"id": "player", "type": "player", "params": {"file": file or f"mono{number:02}.wav"}}]
    children += [{"id": f"{node['type']}{place}", **node} for place, node in enumerate(chain, 1)]
    return {"id": f"t{number}", "type": "track", "params": {"pan": pan_of(number - 1) if pan is None else pan}, "children": children}


def mixer(name, what, chains, **more):
    """One track a chain, straight to the output."""
    nodes = [track(number, chain) for number, chain in enumerate(chains, 1)]
    needs = sorted({node["type"] for chain in chains for node in chain} - {"gain"})
    return Work(name, what, nodes, [{"from": node["id"], "to": "out"} for node in nodes], needs=needs, **more)


def through_buses(work, size, bus_chain):
    """The tracks of a mixer, each `size` of them through a bus."""
    buses = []
    for number in range(0, len(work.connections), size):
        bus = f"bus{number // size + 1}"
        for connection in work.connections[number:number + size]:
            connection["to"] = bus
        buses.append({"id": bus, "type": "bus", "children": [{"id": f"{node['type']}{place}", **node} for place, node in enumerate(bus_chain, 1)]})
    work.nodes += buses
    work.connections += [{"from": bus["id"], "to": "out"} for bus in buses]
    work.needs = sorted(set(work.needs) | {node["type"] for node in bus_chain})
    return work


def shapes_with(chance, slots, totals, longest):
    """`slots` different chain shapes (texts of g, e, c), so that each letter comes totals[letter] times in all. Found by
    mending a random choice, the same at every call."""
    def draw():
        return "".join(chance.choice("gec") for _ in range(chance.randint(1, longest)))

    def off(chosen):
        return sum(abs("".join(chosen).count(letter) - total) for letter, total in totals.items())
    chosen = []
    while len(chosen) < slots:
        shape = draw()
        if shape not in chosen:
            chosen.append(shape)
    while off(chosen):
        place, shape = chance.randrange(slots), draw()
        tried = chosen[:place] + [shape] + chosen[place + 1:]
        if shape not in chosen and off(tried) <= off(chosen):
            chosen = tried
    return chosen


def chain_of(shape):
    return [{"g": gain, "e": eq, "c": compressor}[letter]() for letter in shape]


def variants():
    chance = random.Random(4)
    within = {"goal_uniform": 1.5}
    mix, comp = [gain(), eq()], [gain(), eq(), compressor()]

    yield mixer("eq64", "mix64 with 64 different EQ settings", [[gain(), eq(random_bands(chance, 4))] for _ in range(TRACKS)],
                uniform="mix64", **within)

    counts = [1 + number % 7 for number in range(TRACKS - 1)]
    counts.append(4 * TRACKS - sum(counts))
    chance.shuffle(counts)
    yield mixer("bands", "EQs of 1 to 7 bands, 256 bands in all", [[gain(), eq(random_bands(chance, n))] for n in counts],
                uniform="mix64", **within)

    chains = [comp if number % 2 else [gain(), compressor(), eq()] for number in range(TRACKS)]
    chance.shuffle(chains)
    yield mixer("order", "mix64comp, EQ and compressor in random order", chains, uniform="mix64comp", **within)

    # 42 of 64 with an EQ; 21, 22 and 21 tracks with 0, 1 and 2 compressors.
    chains = []
    eqs = [True] * 42 + [False] * 22
    chance.shuffle(eqs)
    for number in range(TRACKS):
        chain = [gain()] + [eq()] * eqs[number] + [compressor()] * (0, 1, 2)[(number + (number == 63)) % 3]
        chance.shuffle(chain)
        chains.append(chain)
    compressors = sum(node["type"] == "compressor" for chain in chains for node in chain)
    chance.shuffle(chains)
    yield mixer("chains", "a third without EQ, 0 to 2 compressors, in random order", chains, uniform="chains_uniform", **within)
    alike = [comp] * 42 + [[gain(), compressor()]] * (compressors - 42) + [[gain()]] * (TRACKS - compressors)
    yield mixer("chains_uniform", "as many EQs and compressors as in chains, in few shapes", alike)

    # So many different chains are long enough for a gain or two more than tracks.
    shapes = shapes_with(chance, TRACKS, {"e": 64, "c": 64}, 5)
    more = "".join(shapes).count("g")
    yield mixer("all_differ", "64 chains, no two alike", [chain_of(shape) for shape in shapes], uniform="all_differ_uniform", goal_uniform=1.8)
    yield mixer("all_differ_uniform", "as many gains, EQs and compressors as in all_differ, every track alike",
                [[gain()] * (more * (n + 1) // TRACKS - more * n // TRACKS) + [eq(), compressor()] for n in range(TRACKS)])

    shapes = shapes_with(chance, 12, {"g": 12, "e": 12, "c": 12}, 5) + ["gec"]
    grouped = [chain_of(shapes[number // 5]) for number in range(TRACKS)]
    yield through_buses(mixer("groups5", "five tracks of one chain to a bus, 13 chains", grouped, uniform="groups5_uniform", **within), 5, [])
    yield through_buses(mixer("groups5_uniform", "mix64comp through 13 buses", [comp] * TRACKS), 5, [])

    # 13 stereo EQs of 4 bands on the buses: 104 bands of one channel more than the tracks have.
    yield through_buses(mixer("buses5", "mix64 through 13 buses of five tracks, each bus with an EQ", [mix] * TRACKS,
                              uniform="buses5_uniform", **within), 5, [eq()])
    more = [[gain(), eq((MIX_BANDS * 2)[:6 if number < 40 else 5])] for number in range(TRACKS)]
    yield through_buses(mixer("buses5_uniform", "the same bands on the tracks alone, plain buses", more), 5, [])

    nodes = [track(number, comp, file=f"stereo{number:02}.wav", pan=pan_of(number - 1, TRACKS // 2)) for number in range(1, TRACKS // 2 + 1)]
    yield Work("stereo", "32 stereo tracks of gain, EQ and compressor", nodes, [{"from": node["id"], "to": "out"} for node in nodes],
               needs=["compressor", "eq"], uniform="mix64comp", **within)


def convolution(name, latency, goal):
    node = track(1, [{"type": "convolution", "params": {"file": "impulse.wav", "latency_frames": str(latency)}}], file="stereo01.wav", pan=0.0)
    return Work(name, f"stereo file, stereo impulse response of {IMPULSE_SECONDS} s, latency {latency}", [node],
                [{"from": "t1", "to": "out"}], goal_cpu_s=goal, needs=["convolution"])


def graph1k():
    nodes, connections = [], []
    for number in range(1, GRAPH_OSCILLATORS + 1):
        nodes.append({"id": f"o{number}", "type": "oscillator", "params": {"frequency_hz": graph_hz(number), "gain_db": 0.0}})
        nodes.append({"id": f"g{number}", "type": "gain", "params": {"gain_db": graph_gain_db(number)}})
        connections += [{"from": f"o{number}", "to": f"g{number}"}, {"from": f"g{number}", "to": "mix"}]
    nodes.append({"id": "mix", "type": "bus", "params": {"channels": 1}})
    connections.append({"from": "mix", "to": "out"})
    return Work("graph1k", "1,000 sines, each a gain, summed", nodes, connections, goal_cpu_s=1.5, goal_two_threads=1.7, floor="graph1k")


def graph_hz(number):
    return 50.0 + 9.5 * number


def graph_gain_db(number):
    return -45.0 - 0.25 * (number % 40)


def all_works():
    mix, comp = [gain(), eq()], [gain(), eq(), compressor()]
    works = [
        mixer("mix64", "64 mono 24-bit files, each gain, 4 bands, pan", [mix] * TRACKS, goal_cpu_s=0.4, goal_memory_mib=30.0,
              goal_floor=1.4, floor="mix64"),
        mixer("mix64comp", "the same and a compressor a track", [comp] * TRACKS, goal_cpu_s=0.7, goal_two_threads=1.7, floor="mix64comp"),
        convolution("conv8192", 8192, 0.2), convolution("conv0", 0, 0.5), graph1k(),
        mixer("plain64", "mix64 without its bands: what the files cost", [[gain()]] * TRACKS)]
    return {work.name: work for work in works + list(variants())}
