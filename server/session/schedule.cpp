#include "server/session/schedule.hpp"

#include <algorithm>
#include <queue>

#include "server/base/check.hpp"

namespace continuo::session {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

struct Ready {
  std::uint32_t height;  // operations on the longest way from here to a sink
  std::uint32_t op;
  bool operator<(const Ready& other) const { return height != other.height ? height < other.height : op > other.op; }
};

struct KindQueue {
  const rt::NodeKind* kind = nullptr;
  std::priority_queue<Ready> ready;
  std::uint64_t lanes = 0;
};

class Scheduling {
 public:
  explicit Scheduling(const OpList& list) : list_(list), producer_(list.signals, kNone), waiting_(list.ops.size()) {
    for (std::uint32_t i = 0; i < list_.ops.size(); ++i) {
      for (std::uint32_t c = 0; c < list_.ops[i].out_count; ++c) producer_[list_.ops[i].first_out + c] = i;
    }
    find_consumers();
    find_heights();
  }

  std::vector<Group> run() {
    for (std::uint32_t i = 0; i < list_.ops.size(); ++i) {
      if (waiting_[i] == 0) make_ready(i);
    }
    std::vector<Group> groups;
    std::size_t done = 0;
    while (KindQueue* queue = fullest()) {
      groups.push_back(take(*queue));
      done += groups.back().size();
      for (const std::uint32_t op : groups.back()) release(op);
    }
    CONTINUO_CHECK(done == list_.ops.size(), "the operations have no circle");
    return groups;
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
      for (std::uint32_t k = begins_[i]; k < begins_[i + 1]; ++k) {
        heights_[i] = std::max(heights_[i], heights_[consumers_[k]] + 1);
      }
    }
  }

  void make_ready(std::uint32_t op) {
    const rt::NodeKind* kind = list_.ops[op].kind;
    auto queue = std::find_if(queues_.begin(), queues_.end(), [&](const KindQueue& q) { return q.kind == kind; });
    if (queue == queues_.end()) {
      queue = queues_.emplace(queues_.end());
      queue->kind = kind;
    }
    queue->ready.push({heights_[op], op});
    queue->lanes += list_.ops[op].lanes();
  }

  [[nodiscard]] KindQueue* fullest() {
    KindQueue* best = nullptr;
    for (KindQueue& queue : queues_) {
      if (!queue.ready.empty() && (best == nullptr || queue.lanes > best->lanes)) best = &queue;
    }
    return best;
  }

  Group take(KindQueue& queue) {
    Group group;
    std::uint32_t lanes = 0;
    while (!queue.ready.empty()) {
      const std::uint32_t op = queue.ready.top().op;
      const std::uint32_t more = list_.ops[op].lanes();
      if (!group.empty() && lanes + more > rt::kMaxLanes) break;
      group.push_back(op);
      lanes += more;
      queue.lanes -= more;
      queue.ready.pop();
    }
    return group;
  }

  void release(std::uint32_t op) {
    for (std::uint32_t k = begins_[op]; k < begins_[op + 1]; ++k) {
      if (--waiting_[consumers_[k]] == 0) make_ready(consumers_[k]);
    }
  }

  const OpList& list_;
  std::vector<std::uint32_t> producer_;  // by signal
  std::vector<std::uint32_t> waiting_;   // by operation: inputs not there yet
  std::vector<std::uint32_t> begins_, consumers_;
  std::vector<std::uint32_t> heights_;
  std::vector<KindQueue> queues_;
};

}  // namespace

std::vector<Group> schedule(const OpList& list) { return Scheduling(list).run(); }

}  // namespace continuo::session
