// THREAD: any, one at a time - document -> rt::RenderPlan; keeps the live nodes, which outlive plans
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "rt/command.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "rt/play_slot.hpp"
#include "rt/render_plan.hpp"
#include "server/session/document.hpp"
#include "server/session/impulse_table.hpp"
#include "server/session/queue.hpp"

namespace continuo::session {

/// How long an edge fades in or out when an edit makes or breaks it under sound, engine frames at any rate.
inline constexpr std::uint32_t kEditFadeFrames = 512;

/// What the device (or the render) gives and takes.
struct EngineShape {
  double sample_rate_hz = 48000.0;
  std::uint32_t in_channels = 0;
  std::uint32_t out_channels = 2;
};

struct CompiledPlayer {
  rt::Uid uid = 0;
  rt::NodeRef ref;
  std::string path;
  std::string file;
  std::int64_t file_frames = 0;  // of it, as probed; 0: not known
  std::uint32_t channels = 0;
  bool free = false;
  bool loop = false;
  rt::FrameCount timeline_start = 0;  // engine-rate frames
  bool fresh = false;                 // its rt node is another than before: what that has and does is not this one's
  std::shared_ptr<const rt::PlaySlot> slot;  // where it is
  bool queue = false;                        // it has one: `items`, without those that cannot be played
  std::vector<CompiledItem> items;
};
struct CompiledRecorder {
  rt::Uid uid = 0;
  rt::NodeRef ref;
  std::string path;  // of the recorder node, or of the tapped track, bus, "in", "out"
  std::uint32_t channels = 0;
  std::uint32_t arrival_frames = 0;  // how late the sound comes to it: latencies and their compensation
  bool hears_input = false;          // nothing but the device's inputs
};
struct CompiledMeter {
  rt::Uid uid = 0;
  bool strip = false;  // a track or bus
  std::string path;
  std::string label;
  std::uint32_t channels = 0;
  std::shared_ptr<rt::MeterSlots> slots;
  std::uint32_t arrival_frames = 0;  // as a recorder's
};

struct CompileRequest {
  const Document* document = nullptr;  // valid (edit.hpp, validate)
  EngineShape shape;
  const MediaTable* media = nullptr;
  const ImpulseTable* impulses = nullptr;  // see impulses_of()
  bool meters = true;                      // false: none, not even meter nodes, where nobody can look
  std::uint32_t threads = 1;          // that will run the plan: more than 1, and it is cut into tasks. Same samples
  std::set<std::string> record_taps;  // paths that are recorded without a recorder node of their own
  std::set<rt::Uid> meter_taps;       // nodes that have no meter of their own and get one: what comes out of them
  /// Live: broken edges fade out, and new ones fade in where their source may already sound: where it hangs on a
  /// generator, a device input, a free player that was in the plan before, or, while `timeline_rolling`, any timeline
  /// player. Offline and at a load: false.
  bool fade_edits = true;
  bool timeline_rolling = false;  // and rolls on through this edit (no start or locate comes with it)
  /// The newest plan (RenderPlan::id) that has sounded for its fade_frames or more: what it and earlier ones broke is
  /// silent by now and goes. Edges that a later plan broke fade on through this edit. The default: all are silent.
  std::uint64_t faded_plan = std::numeric_limits<std::uint64_t>::max();
};

struct Compiled {
  std::unique_ptr<rt::RenderPlan> plan;
  std::vector<CompiledPlayer> players;
  std::vector<CompiledRecorder> recorders;
  std::vector<CompiledMeter> meters;  // document order, "in" first, "out" last
  /// The fades' ramps. They belong into the batch that carries the plan (before its other actions); none when nothing
  /// fades.
  std::vector<rt::Action> actions;
  bool fading = false;  // broken edges still sound in this plan: compile again once fade_frames have passed
  std::uint32_t fade_frames = kEditFadeFrames;  // until this plan's fades are over: what is new in it fills first
  std::uint32_t output_latency_frames = 0;      // of the sound at "out": delay compensation included
  /// Live nodes that this plan no longer uses. Destroy them when the batch that brought this plan has come home; a
  /// rt::PlayerNode among them may then still name the source that it was lent.
  std::vector<std::unique_ptr<rt::Node>> dropped;
};

/// Control thread (or a render job). One a renderer: it owns the live nodes that the renderer's plans name.
class PlanCompiler {
 public:
  PlanCompiler();
  ~PlanCompiler();

  /// Cannot fail on a valid document.
  [[nodiscard]] Compiled compile(const CompileRequest& request);

  /// Where commands for a node's parameters go; for a track or bus that is its fader. Nothing where the node has no
  /// parameters on the audio thread.
  [[nodiscard]] std::optional<rt::NodeRef> param_target(rt::Uid uid) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A player as a compile has it, but for `ref` and `fresh`.
[[nodiscard]] CompiledPlayer player_of(const DocNode& node, const std::string& path, double sample_rate_hz,
                                       const MediaTable* media);

/// Which tracks and buses are heard (1) or not (0), by uid: mute, and solo in place, which keeps what feeds a soloed
/// one and what it feeds. The value of the fader's `audible` parameter.
[[nodiscard]] std::unordered_map<rt::Uid, double> audible_map(const Document& document);

/// A track or bus is soloed: else each one's own mute says all.
[[nodiscard]] bool any_solo(const NodeList& nodes);

}  // namespace continuo::session
