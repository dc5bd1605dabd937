// THREAD: control - the document of now and the compiled graph that sounds it
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rt/command.hpp"
#include "server/session/edit.hpp"
#include "server/session/frames.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

using DocumentPtr = std::shared_ptr<const session::Document>;

/// The document is a value that is replaced whole, never changed: whoever printed, saved or compiles it keeps its own.
class Graph {
 public:
  Graph();

  [[nodiscard]] const DocumentPtr& document() const noexcept { return document_; }
  void set_document(DocumentPtr document) {
    document_ = std::move(document);
    ++stand_;
  }
  /// How many documents there were before this one: a later one has a higher number.
  [[nodiscard]] std::uint64_t stand() const noexcept { return stand_; }

  [[nodiscard]] const session::EngineShape& shape() const noexcept { return shape_; }
  void set_shape(const session::EngineShape& shape) { shape_ = shape; }

  /// How many will run the plans: see session::CompileRequest.
  void set_threads(std::uint32_t threads) { threads_ = threads; }

  /// What sounds beside the document, by token: the bursts of identify.
  struct Overlay {
    session::DocNode node;
    session::DocConnection connection;
  };
  std::map<std::uint64_t, Overlay> overlays;
  /// Paths that are recorded without a recorder of their own.
  std::set<std::string> taps;
  /// Nodes that have no meter of their own and are looked at: see MeterTaps.
  std::set<rt::Uid> meter_taps;

  /// Compiles `document` with taps and overlays. What was compiled must be sent: the live nodes have changed.
  struct Fades {
    bool edits = true;
    bool timeline_rolling = false;
    std::uint64_t faded_plan = 0;  // see session::CompileRequest for all three
  };
  [[nodiscard]] session::Compiled compile(const session::Document& document, const session::ProcessorFiles& files,
                                          const Fades& fades);
  /// What a compile of `document` would look for among the impulse responses.
  [[nodiscard]] std::vector<session::ImpulseKey> impulses_of(const session::Document& document,
                                                             const session::MediaTable& media) const;
  /// Of the last compile.
  [[nodiscard]] const std::vector<session::CompiledPlayer>& players() const noexcept { return players_; }
  /// They have what they play: none is fresh any more.
  void players_served() noexcept {
    for (session::CompiledPlayer& player : players_) player.fresh = false;
  }
  [[nodiscard]] const std::vector<session::CompiledRecorder>& recorders() const noexcept { return recorders_; }
  [[nodiscard]] const std::vector<session::CompiledMeter>& meters() const noexcept { return meters_; }
  /// Null: that node has none, or not yet.
  [[nodiscard]] const session::CompiledMeter* meter(const std::string& path) const;
  /// How late the sound is at "out", frames.
  [[nodiscard]] std::uint32_t output_latency_frames() const noexcept { return output_latency_frames_; }
  /// Rises with each compile: readers of meters look at the layout again.
  [[nodiscard]] std::uint64_t compiles() const noexcept { return compiles_; }
  /// Rises with each compile and with each document, which comes after it.
  [[nodiscard]] std::uint64_t changes() const noexcept { return compiles_ + stand_; }
  [[nodiscard]] const session::CompiledPlayer* player(const std::string& path) const;
  [[nodiscard]] const session::CompiledRecorder* recorder(const std::string& path) const;

  /// The recorders that `document` would have with these taps; changes nothing.
  [[nodiscard]] std::vector<session::CompiledRecorder> recorders_of(const session::Document& document,
                                                                    const session::MediaTable& media,
                                                                    const std::set<std::string>& with_taps) const;

  /// The set_param actions of `changes`; those of nodes that have no place on the audio thread are left out.
  [[nodiscard]] std::vector<rt::Action> actions(const std::vector<session::ParamChange>& changes) const;
  [[nodiscard]] std::optional<rt::NodeRef> param_target(rt::Uid uid) const { return compiler_.param_target(uid); }
  [[nodiscard]] std::uint32_t ramp_frames(double ms) const;
  /// Timeline frames: the session's rate to the engine's and back.
  [[nodiscard]] double session_rate_hz() const;
  [[nodiscard]] rt::FrameCount to_engine(std::int64_t session_frame) const;
  [[nodiscard]] std::int64_t to_session(rt::FrameCount engine_frame) const;

 private:
  [[nodiscard]] session::Document with_overlays(const session::Document& document) const;

  DocumentPtr document_;
  session::EngineShape shape_;
  session::PlanCompiler compiler_;
  std::vector<session::CompiledPlayer> players_;
  std::vector<session::CompiledRecorder> recorders_;
  std::vector<session::CompiledMeter> meters_;
  std::unordered_map<std::string_view, std::size_t> meter_at_;  // by path
  std::uint64_t compiles_ = 0;
  std::uint64_t stand_ = 0;
  std::uint32_t output_latency_frames_ = 0;
  std::uint32_t threads_ = 1;
};

/// Numbers for every node and connection, in document order.
void give_uids(session::Document& document, const session::UidSource& new_uid);

using session::convert_frames;

}  // namespace continuo::control
