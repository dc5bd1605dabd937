#include "server/control/meter_taps.hpp"

#include <utility>

#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

/// Its meter is not part of every plan.
bool needs_tap(const session::DocNode& node) {
  switch (session::find_type(node.type)->role) {
    case session::TypeRole::source:
    case session::TypeRole::processor:
    case session::TypeRole::feedback:
      return true;
    case session::TypeRole::sink:
      return node.type != "meter";
    case session::TypeRole::container:
    case session::TypeRole::track:
    case session::TypeRole::bus:
    case session::TypeRole::device_in:
    case session::TypeRole::device_out:
      break;
  }
  return false;
}

}  // namespace

struct MeterTaps::Core {
  Graph* graph;  // null: the engine has gone
  Compile compile;
  std::map<rt::Uid, std::size_t> holds;
};

MeterTaps::MeterTaps(Graph& graph, JobQueue& jobs, Compile compile)
    : jobs_(jobs), core_(std::make_shared<Core>(Core{&graph, std::move(compile), {}})) {}

MeterTaps::~MeterTaps() { core_->graph = nullptr; }

MeterTaps::Hold MeterTaps::hold(const std::string& path) {
  Hold hold;
  const session::DocNode* const node = session::find_node(*core_->graph->document(), path);
  if (node == nullptr || !needs_tap(*node)) return hold;
  if (core_->holds[node->uid]++ == 0) {
    core_->graph->meter_taps.insert(node->uid);
    core_->compile.now();
  }
  hold.core_ = core_;
  hold.uid_ = node->uid;
  return hold;
}

void MeterTaps::ready(const std::vector<std::string>& paths, std::function<void(Result<>)> then) {
  auto holds = std::make_shared<std::vector<Hold>>();
  bool all = true;
  for (const std::string& path : paths) {
    Hold hold = this->hold(path);
    if (!hold) continue;
    all &= core_->graph->meter(path) != nullptr;
    holds->push_back(std::move(hold));
  }
  if (all) return then({});
  // Behind the compile that the hold has asked for.
  jobs_.add(
      [holds, then](const JobQueue::Finish& finish) {
        then({});
        holds->clear();
        finish();
      },
      [then] { then(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending")); });
}

MeterTaps::Hold& MeterTaps::Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  end();
  core_ = std::move(other.core_);
  uid_ = other.uid_;
  return *this;
}

void MeterTaps::Hold::end() noexcept {
  const std::shared_ptr<Core> core = std::move(core_);
  if (core == nullptr) return;
  const auto held = core->holds.find(uid_);
  if (--held->second > 0) return;
  core->holds.erase(held);
  if (core->graph == nullptr) return;
  core->graph->meter_taps.erase(uid_);
  core->compile.later();
}

}  // namespace continuo::control
