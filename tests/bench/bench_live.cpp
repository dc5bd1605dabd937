// What one callback of 64 frames at 48 kHz carries: how many tracks at 50 % of its period, and how its time is
// distributed, beside an idle loop as long; what ramps cost; what a trivial node costs, and what compiling costs, by
// size. Callbacks follow each other without a pause, on one thread, at whatever priority the shell has: on a busy
// machine look at the idle loop first. --quick: fewer callbacks; --only capacity|ramps|nodes|compile.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "server/session/session_file.hpp"
#include "tests/bench/live_documents.hpp"
#include "tests/bench/live_rig.hpp"

namespace {

using namespace continuo;
using namespace continuo::bench;

struct Options {
  bool quick = false;
  std::string_view only;
  [[nodiscard]] bool runs(std::string_view part) const { return only.empty() || only == part; }
};

const TrackShape kPlain{"plain", {"gain"}};
const TrackShape kMix64{"mix64", {"gain", "eq"}};
const TrackShape kMix64Comp{"mix64comp", {"gain", "eq", "compressor"}};

bool there(const TrackShape& shape) {
  const std::string missing = shape.missing();
  if (!missing.empty()) std::printf("%-10s not yet: %s\n", shape.name.c_str(), missing.c_str());
  return missing.empty();
}

void insist(const LiveRig& rig, const char* what) {
  if (rig.sane()) return;
  std::fprintf(stderr, "bench_live: %s: no sound, starved, or not finite\n", what);
  std::exit(1);
}

double middle(std::vector<double>& values, double part = 0.5) {
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

/// The median of means of 32 callbacks: an interruption now and then does not move it, and what is due in every eighth
/// callback only (a meter's window) is in it.
double typical_ns(LiveRig& rig, std::uint32_t callbacks) {
  (void)rig.mean_ns(40);
  std::vector<double> means(callbacks / 32);
  for (double& mean : means) mean = rig.mean_ns(32);
  return middle(means);
}

void spin(std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) benchmark::DoNotOptimize(i);
}

void print_times(const char* name, std::vector<double> ns) {
  double sum = 0.0;
  for (const double t : ns) sum += t;
  const double mean = sum / static_cast<double>(ns.size());
  std::printf("  %-10s mean %7.1f us (%4.1f %%)  p50 %7.1f  p99 %7.1f  p99.9 %7.1f (%.2f x mean)  max %7.1f\n", name,
              mean / 1e3, 100.0 * mean / LiveRig::kPeriodNs, middle(ns) / 1e3, middle(ns, 0.99) / 1e3,
              middle(ns, 0.999) / 1e3, middle(ns, 0.999) / mean, *std::max_element(ns.begin(), ns.end()) / 1e3);
}

/// The callback's times and an idle loop's, a thousand of each in turn, so that the machine's noise hits both.
void distribution(LiveRig& rig, std::uint32_t callbacks) {
  const double typical = typical_ns(rig, 640);
  std::uint64_t turns = 100000;
  const double begin = now_ns();
  spin(turns);
  turns = static_cast<std::uint64_t>(static_cast<double>(turns) * typical / (now_ns() - begin));
  std::vector<double> took, idle;
  while (took.size() < callbacks) {
    for (int i = 0; i < 1000; ++i) took.push_back(rig.callback());
    for (int i = 0; i < 1000; ++i) {
      const double from = now_ns();
      spin(turns);
      idle.push_back(now_ns() - from);
    }
  }
  print_times("callback", took);
  print_times("idle loop", idle);
}

/// Doubles until half of the period is too short, then halves the gap.
void capacity(const TrackShape& shape, bool metered, std::uint32_t goal, const Options& options) {
  if (!there(shape)) return;
  const auto fits = [&](std::uint32_t tracks) {
    LiveRig rig(mixer(shape, tracks), metered);
    const double part = typical_ns(rig, options.quick ? 160 : 640) / LiveRig::kPeriodNs;
    insist(rig, shape.name.c_str());
    return part <= 0.5;
  };
  std::uint32_t low = 0, high = 256;
  while (high < 65536 && fits(high)) low = high, high *= 2;
  while (high - low > std::max(16u, low / 50)) {
    const std::uint32_t tracks = (low + high) / 2;
    (fits(tracks) ? low : high) = tracks;
  }
  const std::string text =
      goal == 0 ? "" : ", to reach: " + std::to_string(goal) + (low >= goal ? ": met" : ": MISSED");
  std::printf("%-10s %u tracks at 50 %% of a callback%s%s\n", shape.name.c_str(), low,
              metered ? ", somebody looks at every meter" : "", text.c_str());
  if (low == 0) return;
  LiveRig rig(mixer(shape, low), metered);
  distribution(rig, options.quick ? 2000 : 20000);
  insist(rig, shape.name.c_str());
  std::fflush(stdout);
}

/// 64 tracks at rest, and the same while something moves: ramps of 100 ms, one after the other.
void ramping(const TrackShape& shape, const char* what, const std::vector<std::pair<std::string, std::string>>& params,
             std::uint32_t of_tracks, const Options& options) {
  if (!there(shape)) return;
  const session::Document document = mixer(shape, 64);
  struct Move {
    rt::Uid uid;
    int index;
    double from, to;
  };
  std::vector<Move> moves;
  for (const session::DocNode& track : document.nodes) {
    if (track.type != "track" || moves.size() >= params.size() * of_tracks) continue;
    for (const auto& [type, name] : params) {
      const session::DocNode* node = type == "track" ? &track : nullptr;
      for (const session::DocNode& child : track.children) node = child.type == type ? &child : node;
      const session::ParamSpec* spec = session::find_type(type)->find(name);
      if (node == nullptr || spec == nullptr) std::exit(1);
      const double value = session::number_of(*node, name);
      const double other = spec->unit == "Hz" ? value * 1.5 : type == "track" ? 0.1 : value + 3.0;
      moves.push_back({node->uid, spec->rt_index, value, other});
    }
  }
  LiveRig still(document), moving(document);
  std::vector<double> ratios;
  double still_ns = 0.0;
  for (int round = 0; round < (options.quick ? 12 : 60); ++round) {
    for (const Move& m : moves) moving.ramp(m.uid, m.index, round % 2 == 0 ? m.to : m.from, 4800);
    const double a = still.mean_ns(75), b = moving.mean_ns(75);
    still_ns += a;
    if (round > 0) ratios.push_back(b / a);
  }
  insist(moving, what);
  const double ratio = middle(ratios);
  std::printf("%-10s %-44s %.2f x at rest (%.1f us), to stay within 1.5: %s\n", shape.name.c_str(), what, ratio,
              still_ns / 1e3 / static_cast<double>(ratios.size() + 1), ratio <= 1.5 ? "met" : "MISSED");
}

void ramps(const Options& options) {
  std::vector<std::pair<std::string, std::string>> bands;
  for (const char* band : {"band1", "band2", "band3", "band4"}) {
    bands.emplace_back("eq", std::string(band) + ".freq_hz");
    bands.emplace_back("eq", std::string(band) + ".gain_db");
  }
  for (const TrackShape& shape : {kPlain, kMix64}) {
    ramping(shape, "gain of 64 tracks ramps", {{"gain", "gain_db"}}, 64, options);
    ramping(shape, "pan of 64 tracks ramps", {{"track", "pan"}}, 64, options);
  }
  ramping(kMix64, "4 bands of 4 tracks ramp, freq and gain", bands, 4, options);
  ramping(kMix64, "4 bands of 64 tracks ramp, freq and gain", bands, 64, options);
}

/// What one more trivial node costs, against the session without any.
void nodes(const Options& options) {
  std::printf(
      "%-10s %14s %14s   ns a gain of one channel and callback (side by side: its place in the sum included); goal: "
      "below 25\n",
      "nodes", "side by side", "in a row");
  LiveRig bare_side(gains(1, false)), bare_row(gains(1, true));
  const std::uint32_t callbacks = options.quick ? 640 : 4096;
  for (const std::uint32_t count : {1u, 4u, 16u, 64u, 256u, 1024u, 4096u}) {
    double cost[2];
    for (const bool row : {false, true}) {
      // One is compared with the empty plan's cost of two: the noise and the strip stay in it.
      LiveRig rig(gains(count + 1, row));
      LiveRig& bare = row ? bare_row : bare_side;
      cost[row ? 1 : 0] = (typical_ns(rig, callbacks) - typical_ns(bare, callbacks)) / count;
      insist(rig, "gains");
    }
    std::printf("%-10u %14.1f %14.1f\n", count, cost[0], cost[1]);
  }
  std::fflush(stdout);
}

void compile(const Options& options) {
  const TrackShape shape = kMix64.missing().empty() ? kMix64 : TrackShape{"plain", {"gain", "pan"}};
  const auto nodes_a_track = static_cast<std::uint32_t>(shape.types.size()) + 2;
  std::printf(
      "%-10s %14s %14s %14s   ms, tracks of %u nodes; again: every node is alive already; goal: 1,000 below 20\n",
      "compile", "first", "again", "one gone", nodes_a_track);
  for (const std::uint32_t count : {10u, 100u, 1000u, 4000u}) {
    const session::Document document = mixer(shape, (count + nodes_a_track - 1) / nodes_a_track);
    const session::MediaTable media = memory_media(document);
    session::Document shorter = document;
    shorter.connections.edit().pop_back();
    std::vector<double> first, again, gone;
    for (int i = 0; i < (options.quick ? 3 : 11); ++i) {
      session::PlanCompiler compiler;
      session::CompileRequest request;
      request.document = &document;
      request.media = &media;
      const auto timed = [&](std::vector<double>& into) {
        const double begin = now_ns();
        session::Compiled made = compiler.compile(request);
        into.push_back((now_ns() - begin) / 1e6);
        return made;
      };
      const session::Compiled one = timed(first), two = timed(again);
      request.document = &shorter;
      const session::Compiled three = timed(gone);
    }
    std::printf("%-10u %14.2f %14.2f %14.2f\n", count, middle(first), middle(again), middle(gone));
  }
}

session::Document load(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  rt::Uid uid = 0;
  auto document = session::parse_session(text, [&uid] { return ++uid; });
  if (!document) {
    std::fprintf(stderr, "bench_live: %s: %s: %s\n", path, document.error().field.c_str(),
                 document.error().message.c_str());
    std::exit(65);
  }
  return std::move(*document);
}

int pair(const char* a, const char* b) {
  LiveRig one(load(a)), other(load(b));
  std::vector<double> ratios, ns;
  for (int round = 0; round < 41; ++round) {
    ns.push_back(typical_ns(one, 160));
    ratios.push_back(ns.back() / typical_ns(other, 160));
  }
  insist(one, a);
  insist(other, b);
  std::printf("%.3f %.2f\n", middle(ratios), middle(ns) / 1e3);  // the ratio, and the first's microseconds
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0)
      options.quick = true;
    else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc)
      options.only = argv[++i];
    else if (std::strcmp(argv[i], "--pair") == 0 && i + 2 < argc)
      return pair(argv[i + 1], argv[i + 2]);
    else
      return std::fprintf(stderr,
                          "usage: bench_live [--quick] [--only capacity|ramps|nodes|compile] | --pair A.json B.json\n"),
             64;
  }
  double load = 0.0;
  if (::getloadavg(&load, 1) == 1) std::printf("load %.2f at the start\n", load);
  if (options.runs("nodes")) nodes(options);
  if (options.runs("compile")) compile(options);
  if (options.runs("ramps")) ramps(options);
  if (options.runs("capacity")) {
    capacity(kPlain, false, 0, options);
    capacity(kMix64, false, 4000, options);
    capacity(kMix64Comp, false, 2000, options);
    capacity(kMix64, true, 0, options);
    capacity(kMix64Comp, true, 0, options);
  }
  return 0;
}
