// THREAD: control - the one writer of the audio thread's ring, and the one who takes home what comes back
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "rt/command.hpp"
#include "rt/event.hpp"
#include "rt/render_plan.hpp"
#include "rt/renderer.hpp"
#include "rt/spsc_ring.hpp"
#include "server/control/send_order.hpp"

namespace continuo::control {

/// Owns the renderer and the control ends of its two rings.
///
/// send: [control] gives a sequence number, lends the batch -> [audio] applies it whole at one frame -> [control]
/// poll(): hands what came back to `retire`, destroys it, tells the sender.
///
/// The bound is here, for this side may wait: what finds the ring full stays in line, in order. While it waits, a newer
/// value of the same parameter takes the place of the older one (whose sender learns that it was superseded, never that
/// it was applied); a batch is never merged, dropped or split, so that batches are counted instead (room()). The audio
/// thread's schedule is never filled to its bound: what would, waits here too.
class AudioLink {
 public:
  static constexpr std::size_t kRing = 4096;
  static constexpr std::size_t kMaxBatches = 256;
  static constexpr std::size_t kMaxAhead = rt::Renderer::kScheduleCapacity / 2;  // commands that wait for a later frame

  enum class Fate {
    applied,     // at `frame`
    refused,     // the audio thread's schedule was full: nothing happened
    orphaned,    // the node was gone: nothing happened
    superseded,  // a newer value came before the audio thread looked
    lost,        // the engine ended
  };
  using Then = std::function<void(Fate, rt::FrameCount frame)>;

  /// What belongs together. `dropped`: live nodes that the plan no longer uses; they die when the batch is home.
  struct Shipment {
    std::unique_ptr<rt::RenderPlan> plan;
    std::vector<rt::Action> actions;
    std::vector<std::unique_ptr<rt::Node>> dropped;
    rt::FrameCount frame = rt::kNow;
    bool free = false;  // touches nothing that anybody else does: in no order with the others
  };
  /// Called for all that comes home, before it is destroyed: the audio thread will not touch it again. Sources and
  /// sinks that actions and dropped nodes still name are the owner's to collect.
  using Retire = std::function<void(const std::vector<rt::Action>&, const std::vector<std::unique_ptr<rt::Node>>&)>;

  AudioLink(double sample_rate_hz, Retire retire);
  /// No device drives the renderer any more. Everything is retired and destroyed; senders hear `lost`.
  ~AudioLink();

  [[nodiscard]] rt::Renderer& renderer() noexcept { return *renderer_; }

  /// A further batch fits within the bound.
  [[nodiscard]] bool room() const noexcept { return batches_ < kMaxBatches; }
  /// Returns the frame that it is sent for: later than asked where it must not overtake what waits for a later one.
  rt::FrameCount send(Shipment shipment, Then then = {});
  /// What ends on one frame: nothing where there is no action.
  void send_together(std::vector<rt::Action> actions, rt::FrameCount frame = rt::kNow);
  /// One value; `action` is a set_param, player_start/stop or record_stop.
  void send_value(const rt::Action& action, Then then = {}, rt::FrameCount frame = rt::kNow);
  /// The engine's clock will not count on as it did (another device): what waits for a later frame is applied at the
  /// next one, before all that is sent from here on.
  void land();

  /// Whoever sent something goes before this does, and will not be called.
  void forget_senders();

  /// Takes the events that are there and pushes what waits.
  void poll();
  [[nodiscard]] bool outstanding() const noexcept { return !flying_.empty() || !waiting_.empty(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  struct Cargo {
    rt::Command command;
    std::unique_ptr<rt::Batch> batch;
    std::vector<std::unique_ptr<rt::Node>> dropped;
    Then then;
    std::uint64_t ticket = 0;  // of order_
    bool ahead = false;        // counted in ahead_
  };
  struct Key {
    rt::NodeRef node;
    std::uint16_t param;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& k) const noexcept {
      return (std::size_t{k.node.slot} * 1000003u + k.node.generation) * 1000003u + k.param;
    }
  };
  void enter(Cargo cargo);
  void push_waiting();
  void home(Cargo cargo, Fate fate, rt::FrameCount frame);

  Retire retire_;
  rt::RingWriter<rt::Command> commands_;
  rt::RingReader<rt::Event> events_;
  std::unique_ptr<rt::Renderer> renderer_;
  std::list<Cargo> waiting_;                                             // not yet in the ring
  std::unordered_map<Key, std::list<Cargo>::iterator, KeyHash> newest_;  // values in line behind which no batch waits
  std::map<std::uint64_t, Cargo> flying_;                                // by sequence
  std::uint64_t next_sequence_ = 1;
  std::size_t batches_ = 0;
  SendOrder order_;
  std::size_t ahead_ = 0;  // with the audio thread, for a later frame
};

}  // namespace continuo::control
