#!/usr/bin/env python3
"""run_works.py --bin FOLDER --tools FOLDER [--folder F] [--seconds S] [--runs N] [--only WORK,...] [--cpu LEVEL,...]
[--threads N] [--json FILE]

Runs continuo-render on each work of works.py and prints CPU seconds (user and system), wall seconds, how many times real
time, and the largest resident memory. What is compared runs in alternation, so that a shared machine's noise hits both:
a work and the hand-written loop (which needs v3), a variant and its uniform session, one thread and several. A ratio is the median of the
pairs' ratios. A work whose node types are not there is named and skipped; one that fails ends the script with 1. Goals
are printed beside the figures and judge nothing."""

import argparse
import array
import json
import math
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

import make_works

SOUND_SECONDS = 2
SOUND_DB = -80.0  # float biquads at 80 Hz, 64 of them summed, differ by about -90


@dataclass
class Figure:
    cpu: float
    wall: float
    memory_mib: float


class Failed(Exception):
    pass


class Runner:
    def __init__(self, arguments):
        self.arguments = arguments
        self.render = os.path.join(arguments.bin, "continuo-render")
        self.floor = os.path.join(arguments.tools, "floor_mix64")
        self.live = os.path.join(arguments.tools, "bench_live")
        self.measure = os.path.join(arguments.tools, "measure")
        self.has_threads = "--threads" in subprocess.run([self.render, "--help"], capture_output=True, text=True).stdout
        self.failures = []

    def path(self, name):
        return os.path.join(self.arguments.folder, name)

    def run(self, command, level):
        environment = dict(os.environ)
        environment.pop("CONTINUO_CPU", None)
        if level:
            environment["CONTINUO_CPU"] = level
        done = subprocess.run([self.measure, *command], capture_output=True, text=True, env=environment)
        if done.returncode:
            raise Failed(f"{self.measure}: exit {done.returncode} {done.stderr.strip()}")
        cpu, wall, kib, code = done.stdout.splitlines()[-1].split()
        if int(code):
            raise Failed(f"{os.path.basename(command[0])}: exit {code}: {done.stderr.strip()[:300]}")
        return Figure(float(cpu), float(wall), int(kib) / 1024.0)

    def engine(self, work, level, threads=1):
        extra = ["--threads", str(threads)] if self.has_threads else []
        return self.run([self.render, self.path(work + ".json"), "-o", self.path(f"out_{work}.wav"), "--force", "--for",
                         f"{self.arguments.seconds}s", *extra], level)

    def by_hand(self, mode, level):
        return self.run([self.floor, mode, "--folder", self.arguments.folder, "--seconds", str(self.arguments.seconds), "--out",
                         self.path(f"floor_{mode}.wav")], level)

    def live_pair(self, work, level):
        """What a callback costs over one of the uniform session, with no files in it; and its microseconds."""
        environment = {**os.environ, **({"CONTINUO_CPU": level} if level else {})}
        done = subprocess.run([self.live, "--pair", self.path(work.name + ".json"), self.path(work.uniform + ".json")],
                              capture_output=True, text=True, env=environment)
        if done.returncode:
            raise Failed(f"bench_live: exit {done.returncode}: {done.stderr.strip()[:300]}")
        return tuple(float(word) for word in done.stdout.split())

    def missing_types(self, work):
        """Those of its node types that the renderer does not know."""
        missing = []
        for kind in work.needs:
            probe = self.path("probe.json")
            with open(probe, "w", encoding="utf-8") as file:
                json.dump({"format": 1, "nodes": [{"id": "x", "type": kind}]}, file)
            said = subprocess.run([self.render, "--check", probe, "--json"], capture_output=True, text=True)
            os.unlink(probe)
            if said.returncode and "nodes[0].type" in said.stdout + said.stderr:
                missing.append(kind)
        return missing

    def check(self, work):
        said = subprocess.run([self.render, "--check", self.path(work.name + ".json")], capture_output=True, text=True)
        if said.returncode:
            raise Failed((said.stderr or said.stdout).strip()[:300])


def floats(path, frames):
    """The first frames of a stereo float WAV file."""
    with open(path, "rb") as file:
        file.read(12)
        while (head := file.read(8)) and head[:4] != b"data":
            size = int.from_bytes(head[4:], "little")
            file.seek(size + size % 2, 1)
        return array.array("f", file.read(8 * frames))


def difference_db(a, b, frames):
    one, other = floats(a, frames), floats(b, frames)
    if len(one) != len(other):
        return math.inf
    worst = max((abs(x - y) for x, y in zip(one, other)), default=math.inf)
    return 20.0 * math.log10(worst) if worst > 0.0 else -math.inf


def median(values):
    return statistics.median(values)


def figures(name, series, seconds):
    cpu, wall = [f.cpu for f in series], [f.wall for f in series]
    return (f"{name:<34} {median(cpu):8.3f} {min(cpu):8.3f} {median(wall):8.3f} {min(wall):8.3f} "
            f"{seconds / median(wall):8.0f} {max(f.memory_mib for f in series):8.1f}")


def in_turn(count, *runs):
    """[[a, b, ...] of each round]; one round to warm up is not counted."""
    for run in runs:
        run()
    return list(zip(*[[run() for run in runs] for _ in range(count)]))


def goal(value, limit, text, at_least=False):
    """Whether a figure reaches its goal, in words."""
    if not limit:
        return ""
    met = value >= limit if at_least else value <= limit
    return f"{text} {'met' if met else 'MISSED'}"


def run_work(runner, work, level, rows):
    arguments = runner.arguments
    runner.check(work)
    scale = arguments.seconds / 60.0
    label = work.name + (f" {level}" if level else "")
    runs = [lambda: runner.engine(work.name, level)]
    if work.floor:
        runs.append(lambda: runner.by_hand(work.floor, level))
    if work.uniform:
        runs.append(lambda: runner.engine(work.uniform, level))
    series = in_turn(arguments.runs, *runs)
    own = series[0]
    print(figures(label, own, arguments.seconds))
    cpu, memory = median(f.cpu for f in own), max(f.memory_mib for f in own)
    row = {"work": work.name, "level": level, "cpu_s": cpu, "cpu_min_s": min(f.cpu for f in own), "wall_s": median(f.wall for f in own),
           "memory_mib": memory, "goals": []}
    row["goals"].append(goal(cpu, work.goal_cpu_s * scale, f"CPU <= {work.goal_cpu_s * scale:.2f} s"))
    row["goals"].append(goal(memory, work.goal_memory_mib, f"below {work.goal_memory_mib:.0f} MiB"))
    if work.floor:
        print(figures(f"  by hand: {work.floor}" + (" (v3)" if level == "baseline" else ""), series[1], arguments.seconds))
        row["to_floor"] = median(a.cpu / b.cpu for a, b in zip(own, series[1]))
        row["goals"].append(goal(row["to_floor"], work.goal_floor, f"<= {work.goal_floor} x by hand"))
        frames = round(min(SOUND_SECONDS, arguments.seconds) * make_works.RATE)
        off = difference_db(runner.path(f"out_{work.name}.wav"), runner.path(f"floor_{work.floor}.wav"), frames)
        row["to_floor_db"] = off
        print(f"  loudest difference to it in the first {frames} frames: {off:.1f} dBFS")
        if off > SOUND_DB:
            runner.failures.append(f"{label}: not the sound that the loop by hand makes ({off:.1f} dBFS)")
    if work.uniform:
        print(figures(f"  uniform: {work.uniform}", series[-1], arguments.seconds))
        row["to_uniform"] = median(a.cpu / b.cpu for a, b in zip(own, series[-1]))
        row["goals"].append(goal(row["to_uniform"], work.goal_uniform, f"<= {work.goal_uniform} x uniform"))
        row["live_to_uniform"], us = runner.live_pair(work, level)
        print(f"  a live callback from memory: {us:.2f} us, {row['live_to_uniform']:.2f} times the uniform session's")
        row["goals"].append(goal(row["live_to_uniform"], work.goal_uniform, f"live <= {work.goal_uniform} x uniform"))
    if work.goal_two_threads and arguments.threads > 1:
        run_threads(runner, work, level, row)
    rows.append(row)


def run_threads(runner, work, level, row):
    threads = runner.arguments.threads
    if not runner.has_threads:
        print("  several threads: not yet: continuo-render has no --threads")
        return
    one, more = in_turn(runner.arguments.runs, lambda: runner.engine(work.name, level), lambda: runner.engine(work.name, level, threads))
    print(figures(f"  on {threads} threads", more, runner.arguments.seconds))
    row["faster"] = median(a.wall / b.wall for a, b in zip(one, more))
    row["goals"].append(goal(row["faster"], work.goal_two_threads, f"{threads} threads >= {work.goal_two_threads} x", at_least=True))


def parse():
    parser = argparse.ArgumentParser(description="Runs the works of the speed table.")
    parser.add_argument("--bin", required=True, help="the folder of continuo-render")
    parser.add_argument("--tools", required=True, help="the folder of floor_mix64, measure and bench_live")
    parser.add_argument("--folder", default="bench-works", help="for media, sessions and outputs")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="works, with commas between")
    parser.add_argument("--cpu", default="", help="CPU levels (CONTINUO_CPU) to force, with commas between; else the machine's own")
    parser.add_argument("--threads", type=int, default=2, help="1: no runs on several threads")
    parser.add_argument("--json", default="", help="write the figures there too")
    return parser.parse_args()


def print_summary(rows, skipped):
    print(f"\n{'work':<26} {'CPU s':>8} {'MiB':>7} {'x hand':>7} {'x uniform':>9} {'(live)':>7} {'x threads':>9}  goals")
    for row in rows:
        ratios = "".join(f" {format(row[key], '.2f') if key in row else '-':>{width}}" for key, width in
                         (("to_floor", 7), ("to_uniform", 9), ("live_to_uniform", 7), ("faster", 9)))
        name = row["work"] + (f" {row['level']}" if row["level"] else "")
        print(f"{name:<26} {row['cpu_s']:8.3f} {row['memory_mib']:7.1f}{ratios}  {'; '.join(g for g in row['goals'] if g) or '-'}")
    for name, why in skipped.items():
        print(f"{name:<26} {why}")


def main():
    arguments = parse()
    runner = Runner(arguments)
    made = make_works.make(arguments.folder, arguments.seconds, [n for n in arguments.only.split(",") if n] or None)
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"{arguments.seconds:g} s of sound, {arguments.runs} runs, {cores} cores, load {load:.2f} at the start"
          + (": BUSY, only CPU seconds and ratios mean something" if load > 0.3 * cores else ""))
    print(f"{'':<34} {'CPU s':>8} {'least':>8} {'wall s':>8} {'least':>8} {'x real':>8} {'MiB':>8}")
    rows, skipped = [], {}
    for work in made.values():
        missing = runner.missing_types(work)
        if missing:
            skipped[work.name] = "not yet: " + ", ".join(missing)
            continue
        if work.name.endswith("_uniform"):
            continue  # runs beside its variant
        for level in arguments.cpu.split(","):
            try:
                run_work(runner, work, level, rows)
            except Failed as failure:
                runner.failures.append(f"{work.name} {level}: {failure}")
    print_summary(rows, skipped)
    print(f"load at the end {os.getloadavg()[0]:.2f}")
    for failure in runner.failures:
        print(f"FAILED {failure}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"seconds": arguments.seconds, "runs": arguments.runs, "rows": rows, "skipped": skipped, "failures": runner.failures},
                      file, indent=1)
    sys.exit(1 if runner.failures else 0)


if __name__ == "__main__":
    main()
