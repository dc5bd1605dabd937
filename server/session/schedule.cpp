#include "server/session/schedule.hpp"

#include <algorithm>
#include <optional>
#include <queue>

#include "server/base/check.hpp"
#include "server/session/cut_tasks.hpp"
#include "server/session/order_groups.hpp"

namespace continuo::session {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};
// A group of fewer lanes would leave a quarter of every kernel idle: it takes its lanes on only where no others of the
// next kind are to come.
constexpr std::uint32_t kFullLanes = rt::kMaxLanes - 3;

struct Ready {
  std::uint32_t size;
  std::uint32_t height;  // operations on the longest way from here to a sink
  std::uint32_t op;
  bool operator<(const Ready& other) const {
    if (size != other.size) return size < other.size;
    return height != other.height ? height < other.height : op > other.op;
  }
};

struct KindQueue {
  const rt::NodeKind* kind = nullptr;
  std::priority_queue<Ready> ready;
  std::uint64_t lanes = 0;
  std::uint64_t to_come = 0;  // operations that are in no group yet
};

class Grouping {
 public:
  explicit Grouping(const OpList& list)
      : list_(list), producer_(list.signals, kNone), waiting_(list.ops.size()), taken_(list.ops.size(), false) {
    for (std::uint32_t i = 0; i < list_.ops.size(); ++i) {
      for (std::uint32_t c = 0; c < list_.ops[i].out_count; ++c) producer_[list_.ops[i].first_out + c] = i;
      ++queue_of(i).to_come;
    }
    find_consumers();
    find_heights();
  }

  std::vector<Group> run() {
    for (std::uint32_t i = 0; i < list_.ops.size(); ++i) {
      if (waiting_[i] == 0) make_ready(i);
    }
    while (KindQueue* queue = fullest()) {
      add(take(*queue));
      while (std::optional<Group> next = follow(groups_.back())) {
        groups_.back().stays = true;
        groups_.back().unpacks = read_elsewhere(groups_.back(), *next);
        add(std::move(*next));
      }
    }
    CONTINUO_CHECK(done_ == list_.ops.size(), "the operations have no circle");
    return std::move(groups_);
  }

 private:
  void find_consumers() {
    begins_.resize(list_.ops.size() + 1);
    const auto each = [&](auto&& visit) {
      for (std::uint32_t i = 0; i < list_.ops.size(); ++i) {
        for (const SignalId signal : list_.inputs(list_.ops[i])) {
          if (producer_[signal] != kNone) visit(producer_[signal], i);
        }
      }
    };
    each([&](std::uint32_t from, std::uint32_t to) {
      ++begins_[from + 1];
      ++waiting_[to];
    });
    for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
    consumers_.resize(begins_.back());
    std::vector<std::uint32_t> filled(begins_.begin(), begins_.end() - 1);
    each([&](std::uint32_t from, std::uint32_t to) { consumers_[filled[from]++] = to; });
  }

  void find_heights() {
    heights_.resize(list_.ops.size());
    for (std::size_t i = list_.ops.size(); i-- > 0;) {
      for (const std::uint32_t consumer : consumers(static_cast<std::uint32_t>(i)))
        heights_[i] = std::max(heights_[i], heights_[consumer] + 1);
    }
  }

  [[nodiscard]] std::span<const std::uint32_t> consumers(std::uint32_t op) const {
    return std::span(consumers_).subspan(begins_[op], begins_[op + 1] - begins_[op]);
  }

  KindQueue& queue_of(std::uint32_t op) {
    const rt::NodeKind* kind = list_.ops[op].kind;
    auto queue = std::find_if(queues_.begin(), queues_.end(), [&](const KindQueue& q) { return q.kind == kind; });
    if (queue == queues_.end()) {
      queue = queues_.emplace(queues_.end());
      queue->kind = kind;
    }
    return *queue;
  }

  void make_ready(std::uint32_t op) {
    KindQueue& queue = queue_of(op);
    queue.ready.push({list_.ops[op].size, heights_[op], op});
    queue.lanes += list_.ops[op].lanes();
  }

  // What follow() took in the meantime still lies in its queue.
  [[nodiscard]] KindQueue* fullest() {
    KindQueue* best = nullptr;
    for (KindQueue& queue : queues_) {
      while (!queue.ready.empty() && taken_[queue.ready.top().op]) queue.ready.pop();
      if (!queue.ready.empty() && (best == nullptr || queue.lanes > best->lanes)) best = &queue;
    }
    return best;
  }

  Group take(KindQueue& queue) {
    Group group;
    while (!queue.ready.empty()) {
      const std::uint32_t op = queue.ready.top().op;
      const std::uint32_t more = list_.ops[op].lanes();
      if (!taken_[op]) {
        if (!group.ops.empty() && group.lanes + more > rt::kMaxLanes) break;
        append(group, op);
      }
      queue.ready.pop();
    }
    return group;
  }

  void append(Group& group, std::uint32_t op) {
    group.ops.push_back(op);
    group.lanes += list_.ops[op].lanes();
    group.size = std::max(group.size, list_.ops[op].size);
  }

  void add(Group group) {
    for (const std::uint32_t op : group.ops) {
      KindQueue& queue = queue_of(op);
      queue.lanes -= list_.ops[op].lanes();
      --queue.to_come;
      taken_[op] = true;
    }
    for (const std::uint32_t op : group.ops) {
      for (const std::uint32_t consumer : consumers(op)) {
        if (--waiting_[consumer] == 0) make_ready(consumer);
      }
    }
    done_ += group.ops.size();
    groups_.push_back(std::move(group));
  }

  // The group that takes over all lanes of this one, if there is one.
  [[nodiscard]] std::optional<Group> follow(const Group& group) {
    const rt::NodeKind* kind = nullptr;
    if (!list_.ops[group.ops.front()].kind->in_tiles() || group.lanes > rt::kMaxLanes) return std::nullopt;
    Group next;
    for (const std::uint32_t op : group.ops) {
      const std::uint32_t heir = heir_of(op);
      if (heir == kNone || (kind != nullptr && list_.ops[heir].kind != kind)) return std::nullopt;
      kind = list_.ops[heir].kind;
      append(next, heir);
    }
    next.packed = true;
    if (group.lanes < kFullLanes && queue_of(next.ops.front()).to_come > next.ops.size()) return std::nullopt;
    return next;
  }

  // The ready operation that works in tiles on just these channels in this order.
  [[nodiscard]] std::uint32_t heir_of(std::uint32_t op) const {
    for (const std::uint32_t consumer : consumers(op)) {
      if (takes_over(op, consumer)) return consumer;
    }
    return kNone;
  }
  [[nodiscard]] bool takes_over(std::uint32_t op, std::uint32_t consumer) const {
    const Op& from = list_.ops[op];
    const Op& to = list_.ops[consumer];
    if (!to.kind->in_tiles() || waiting_[consumer] != 0 || taken_[consumer] || to.out_count != from.out_count)
      return false;
    const auto inputs = list_.inputs(to);
    if (inputs.size() < from.out_count) return false;
    for (std::uint32_t c = 0; c < from.out_count; ++c) {
      if (inputs[c] != from.first_out + c) return false;
    }
    return true;
  }

  [[nodiscard]] bool read_elsewhere(const Group& group, const Group& next) const {
    for (std::size_t i = 0; i < group.ops.size(); ++i) {
      const std::uint32_t heir = next.ops[i];
      // One entry a channel that it reads; more: its key listens too.
      std::size_t reads = 0;
      for (const std::uint32_t consumer : consumers(group.ops[i])) {
        if (consumer != heir) return true;
        ++reads;
      }
      if (reads > list_.ops[heir].out_count) return true;
    }
    return false;
  }

  const OpList& list_;
  std::vector<std::uint32_t> producer_;  // by signal
  std::vector<std::uint32_t> waiting_;   // by operation: inputs not there yet
  std::vector<bool> taken_;
  std::vector<std::uint32_t> begins_, consumers_;
  std::vector<std::uint32_t> heights_;
  std::vector<KindQueue> queues_;
  std::vector<Group> groups_;
  std::size_t done_ = 0;
};

}  // namespace

Schedule schedule(const OpList& list, std::uint32_t threads) {
  std::vector<Group> groups = Grouping(list).run();
  if (threads > 1) {
    if (std::optional<Schedule> cut = cut_tasks(list, groups, threads)) return std::move(*cut);
  }
  return order_groups(list, std::move(groups));
}

}  // namespace continuo::session
