#include "server/control/audio_link.hpp"

#include <algorithm>
#include <utility>

#include "server/base/check.hpp"
#include "server/device/memory_lock.hpp"

namespace continuo::control {
namespace {

// Smaller slabs share their pages with other memory of the heap: these stay locked, which costs little.
constexpr std::size_t kOwnPages = 64u << 10;

void lock_slab(const rt::RenderPlan& plan) { device::lock_memory(plan.slab.get(), plan.slab_floats * sizeof(float)); }

void destroy(rt::RenderPlan* plan) {
  if (plan == nullptr) return;
  const std::size_t bytes = plan->slab_floats * sizeof(float);
  if (bytes >= kOwnPages) device::unlock_memory(plan->slab.get(), bytes);
  delete plan;
}

}  // namespace

AudioLink::AudioLink(double sample_rate_hz, Retire retire) : retire_(std::move(retire)) {
  auto [command_writer, command_reader] = rt::make_ring<rt::Command>(kRing);
  auto [event_writer, event_reader] = rt::make_ring<rt::Event>(2 * std::max(kRing, rt::Renderer::kScheduleCapacity));
  device::lock_memory(command_writer.memory().data(), command_writer.memory().size_bytes());
  device::lock_memory(event_writer.memory().data(), event_writer.memory().size_bytes());
  commands_ = std::move(command_writer);
  events_ = std::move(event_reader);
  renderer_ = std::make_unique<rt::Renderer>(std::move(command_reader), std::move(event_writer), sample_rate_hz);
  for (const auto memory : renderer_->memory()) device::lock_memory(memory.data(), memory.size_bytes());
}

AudioLink::~AudioLink() {
  for (rt::Event event; events_.try_pop(event);) {
    auto found = flying_.find(event.sequence);
    if (found == flying_.end()) continue;
    if (found->second.batch) retire_(found->second.batch->actions, found->second.dropped);
    if (found->second.batch) destroy(found->second.batch->plan);
    flying_.erase(found);
  }
  const rt::Renderer::Remains remains = renderer_->dismantle();
  for (auto& [sequence, cargo] : flying_) waiting_.push_back(std::move(cargo));
  flying_.clear();
  for (Cargo& cargo : waiting_) {
    if (cargo.batch) {
      retire_(cargo.batch->actions, cargo.dropped);
      destroy(cargo.batch->plan);
    }
    if (cargo.then) cargo.then(Fate::lost, 0);
  }
  destroy(remains.plan);
  for (const auto memory : renderer_->memory())
    if (memory.size_bytes() >= kOwnPages) device::unlock_memory(memory.data(), memory.size_bytes());
}

rt::FrameCount AudioLink::send(Shipment shipment, Then then) {
  Cargo cargo;
  const bool has_plan = shipment.plan != nullptr;
  if (!shipment.free) {
    shipment.frame = order_.frame_for(shipment.frame, shipment.actions, has_plan);
    cargo.ticket = order_.sent(shipment.frame, shipment.actions, has_plan);
  }
  if (shipment.plan) lock_slab(*shipment.plan);
  cargo.batch = std::make_unique<rt::Batch>();
  cargo.batch->plan = shipment.plan.release();
  cargo.batch->actions = std::move(shipment.actions);
  cargo.dropped = std::move(shipment.dropped);
  cargo.command.frame = shipment.frame;
  cargo.command.batch = cargo.batch.get();
  cargo.then = std::move(then);
  ++batches_;
  newest_.clear();  // no value overtakes a batch
  enter(std::move(cargo));
  return shipment.frame;
}

void AudioLink::send_together(std::vector<rt::Action> actions, rt::FrameCount frame) {
  if (actions.empty()) return;
  Shipment shipment;
  shipment.actions = std::move(actions);
  shipment.frame = frame;
  send(std::move(shipment));
}

void AudioLink::send_value(const rt::Action& action, Then then, rt::FrameCount frame) {
  const Key key{action.node, action.param};
  const bool is_param = action.kind == rt::Action::Kind::set_param;
  const rt::FrameCount at = order_.frame_for(frame, {action}, false);
  const auto found = newest_.find(key);
  if (is_param && found != newest_.end() && found->second->command.frame == at) {
    Cargo& older = *found->second;
    older.command.value = action;
    const Then superseded = std::exchange(older.then, std::move(then));
    if (superseded) superseded(Fate::superseded, 0);
    return;
  }
  Cargo cargo;
  cargo.command.value = action;
  cargo.command.frame = at;
  cargo.ticket = order_.sent(cargo.command.frame, {action}, false);
  cargo.then = std::move(then);
  enter(std::move(cargo));
  if (is_param && !waiting_.empty()) newest_[key] = std::prev(waiting_.end());
}

void AudioLink::land() {
  if (order_.empty() && ahead_ == 0) return;
  order_.clear();
  newest_.clear();
  // Those that did not get to the audio thread yet come behind what lands, and in order.
  for (Cargo& cargo : waiting_) cargo.command.frame = rt::kNow;
  Cargo cargo;
  cargo.command.value.kind = rt::Action::Kind::land;
  waiting_.push_front(std::move(cargo));
  push_waiting();
}

void AudioLink::forget_senders() {
  for (auto& [sequence, cargo] : flying_) cargo.then = nullptr;
  for (Cargo& cargo : waiting_) cargo.then = nullptr;
}

void AudioLink::enter(Cargo cargo) {
  waiting_.push_back(std::move(cargo));
  push_waiting();
}

void AudioLink::push_waiting() {
  while (!waiting_.empty()) {
    Cargo& first = waiting_.front();
    first.ahead = first.command.frame != rt::kNow;
    if (first.ahead && ahead_ >= kMaxAhead) return;
    first.command.sequence = next_sequence_;
    if (!commands_.try_push(first.command)) return;
    ++next_sequence_;
    ahead_ += first.ahead ? 1 : 0;
    if (!first.batch && first.command.value.kind == rt::Action::Kind::set_param) {
      const auto found = newest_.find({first.command.value.node, first.command.value.param});
      if (found != newest_.end() && found->second == waiting_.begin()) newest_.erase(found);
    }
    flying_.emplace_hint(flying_.end(), first.command.sequence, std::move(first));
    waiting_.pop_front();
  }
}

void AudioLink::poll() {
  for (rt::Event event; events_.try_pop(event);) {
    auto found = flying_.find(event.sequence);
    CONTINUO_CHECK(found != flying_.end(), "every event answers one command of ours");
    Cargo cargo = std::move(found->second);
    flying_.erase(found);
    const Fate fate = event.kind == rt::Event::Kind::applied   ? Fate::applied
                      : event.kind == rt::Event::Kind::refused ? Fate::refused
                                                               : Fate::orphaned;
    home(std::move(cargo), fate, event.frame);
  }
  push_waiting();
}

void AudioLink::home(Cargo cargo, Fate fate, rt::FrameCount frame) {
  ahead_ -= cargo.ahead ? 1 : 0;
  order_.gone(cargo.ticket);
  if (cargo.batch) {
    --batches_;
    retire_(cargo.batch->actions, cargo.dropped);
    destroy(cargo.batch->plan);
    cargo.batch.reset();
    cargo.dropped.clear();
  }
  if (cargo.then) cargo.then(fate, frame);
}

}  // namespace continuo::control
