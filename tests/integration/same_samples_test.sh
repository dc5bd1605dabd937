#!/bin/bash
# A session of every processor, some parameters under automation: the same samples at every CPU level, with glibc's CPU features masked, for any size of
# device buffer, on any number of threads, and from any part of the timeline where nothing rings from before.
set -eu
bin=${CONTINUO_BIN:?the folder of the programs}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "same_samples: $*" >&2; exit 1; }

python3 - "$work" <<'PY'
import json, math, random, struct, sys, wave
folder = sys.argv[1]
random.seed(1)
def write(name, rate, channels, frames, sample):
    with wave.open(f"{folder}/{name}", "wb") as out:
        out.setparams((channels, 3, rate, 0, "NONE", ""))
        out.writeframes(b"".join(struct.pack("<i", int(8388607 * sample(i, c)))[:3] for i in range(frames) for c in range(channels)))
write("voice.wav", 48000, 1, 96000, lambda i, c: 0.5 * math.sin(i * 0.03) * (0.2 + 0.8 * (i // 9600 % 2)))
write("band.wav", 48000, 2, 96000, lambda i, c: random.uniform(-0.4, 0.4))
write("room.wav", 48000, 2, 9600, lambda i, c: random.uniform(-0.3, 0.3) * math.exp(-i / 2000))
def node(id, type, **params): return {"id": id, "type": type, "params": {k.replace("__", "."): v for k, v in params.items()}}
def track(id, children, type="track", **params): return {"id": id, "type": type, "params": params, "children": children}
def lane(at, param, *points): at.setdefault("automation", {})[param] = {"points": [dict(zip(("frame", "value", "curve"), p)) for p in points]}; return at
session = {"format": 1, "name": "everything", "sample_rate_hz": 48000, "nodes": [
    track("vox", [node("p", "player", file="voice.wav"), node("g", "gain", gain_db=-2),
                  node("eq", "eq", band1__type="low_shelf", band1__gain_db=3, band3__type="peak", band3__gain_db=-4, band8__type="high_pass", band8__freq_hz=60, band8__slope_db_per_oct="48"),
                  node("c", "compressor", threshold_db=-30, lookahead_ms=1.3, detector="rms"), node("n", "gate", threshold_db=-40)], pan=-0.3),
    track("band", [node("p", "player", file="band.wav"), node("eq", "eq", band2__type="notch", band5__type="band_pass", band5__q=3),
                   node("duck", "compressor", threshold_db=-24, ratio=8), node("d", "delay", time_ms=41, feedback=0.4, wet_db=-9)], pan=0.2, invert_polarity=True),
    track("tones", [node("s", "oscillator", frequency_hz=997, channels=2), node("t", "oscillator", waveform="triangle", frequency_hz=310), node("q", "oscillator", waveform="square", frequency_hz=1234),
                    node("w", "oscillator", waveform="saw", frequency_hz=77), node("h", "noise", gain_db=-40, channels=2), node("f", "sweep", duration_s=1.5), node("m", "matrix", **{"gain__1_2": 0.3})]),
    track("hall", [node("r", "reverb", decay_s=1.2)], type="bus"), track("ir", [node("c", "convolution", file="room.wav", latency_frames="256")], type="bus"),
    track("master", [node("l", "limiter", ceiling_db=-3)], type="bus")],
  "connections": [{"from": "vox", "to": "master"}, {"from": "band", "to": "master"}, {"from": "tones", "to": "master"}, {"from": "vox:pre", "to": "hall", "gain_db": -6},
    {"from": "band", "to": "ir", "gain_db": -9}, {"from": "hall", "to": "master"}, {"from": "ir", "to": "master"}, {"from": "vox", "to": "band/duck:sidechain"}, {"from": "master", "to": "out"}]}
for each, param, points in [("vox", "gain_db", [(1001, -40), (30011, 0, "hold"), (60000, -6)]), ("vox", "pan", [(0, -1), (77777, 1)]), ("band", "gain_db", [(5, -3, "hold"), (70, 0), (71, -3), (40000, 3)]),
                           ("hall", "gain_db", [(0, -9), (12345, 0)])]: lane(next(n for n in session["nodes"] if n["id"] == each), param, *points)
for each, child, param, points in [("vox", "eq", "band3.freq_hz", [(100, 400, "exponential"), (50001, 4000)]), ("vox", "c", "threshold_db", [(0, -40), (90000, -20)]), ("band", "d", "wet_db", [(20000, -40), (20333, -6)]),
                                  ("tones", "s", "frequency_hz", [(0, 500, "exponential"), (48001, 2000)])]:
    lane(next(c for n in session["nodes"] if n["id"] == each for c in n["children"] if c["id"] == child), param, *points)
json.dump(session, open(f"{folder}/session.json", "w"))
PY

# digest ARGUMENTS...: the SHA-256 of the samples of 2 s and a tail.
digest() {
  "$bin/continuo-render" "$work/session.json" -o "$work/out.wav" --force --json --tail 1s "$@" >"$work/answer" || fail "$* does not render"
  python3 -c 'import json, sys; answer = json.loads(sys.stdin.readlines()[-1]); assert answer["peak"] > 0.1, answer; print(answer["sha256"])' <"$work/answer"
}

wanted=$(CONTINUO_CPU=baseline digest --block 64)
same() { [ "$2" = "$wanted" ] || fail "$1: other samples"; echo "same: $1"; }
for level in v3 v4; do same "CPU level $level" "$(CONTINUO_CPU=$level digest --block 64)"; done
for block in 1 17 65 256 512 1000 4096; do same "buffers of $block" "$(digest --block $block)"; done
for threads in 2 3 4; do same "$threads threads" "$(digest --threads $threads)"; done
masked=glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4,-SSE4_2,-SSE4_1,-ERMS,-AVX2_Usable,-FMA_Usable
same "glibc without the CPU's features" "$(GLIBC_TUNABLES=$masked digest --block 64)"
# The comparison can fail.
[ "$(digest --block 64 --set vox/g.gain_db=-2.01)" != "$wanted" ] || fail "another gain gives the same samples"
