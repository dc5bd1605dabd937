#include "server/session/buffers.hpp"

namespace continuo::session {
namespace {

constexpr std::uint32_t kNever = ~std::uint32_t{0};
constexpr std::uint32_t kEver = kNever - 1;

struct LastUse {
  std::uint32_t group = kNever;
  std::uint32_t reads = 0;  // in that group
};

std::vector<LastUse> last_uses(const OpList& list, const Schedule& schedule) {
  std::vector<LastUse> uses(list.signals);
  for (std::uint32_t g = 0; g < schedule.groups.size(); ++g) {
    for (const std::uint32_t op : schedule.groups[g].ops) {
      for (const SignalId signal : list.inputs(list.ops[op])) {
        LastUse& use = uses[signal];
        use.reads = use.group == g ? use.reads + 1 : 1;
        use.group = g;
      }
    }
  }
  return uses;
}

class Assignment {
 public:
  Assignment(const OpList& list, const Schedule& schedule) : list_(list), uses_(last_uses(list, schedule)) {
    map_.of_signal.assign(list.signals, 0);
    handed_on_.assign(list.signals, false);
    if (!schedule.tasks.empty()) keep_what_crosses(schedule);
  }

  BufferMap run(const Schedule& schedule) {
    auto task = schedule.tasks.begin();
    for (std::uint32_t g = 0; g < schedule.groups.size(); ++g) {
      if (task != schedule.tasks.end() && g == schedule.part_ends[task->end_part - 1]) {
        free_.clear();  // the next task may run before this one is over
        ++task;
      }
      for (const std::uint32_t op : schedule.groups[g].ops) place_outputs(list_.ops[op], g);
      for (const std::uint32_t op : schedule.groups[g].ops) free_dead(list_.ops[op], g);
    }
    return std::move(map_);
  }

 private:
  // Between tasks a buffer is one signal's for the whole span: neither freed nor written over.
  void keep_what_crosses(const Schedule& schedule) {
    std::vector<std::uint32_t> made_in(list_.signals, kNever);
    std::uint32_t first = 0;
    for (std::uint32_t t = 0; t < schedule.tasks.size(); ++t) {
      const std::uint32_t end = schedule.part_ends[schedule.tasks[t].end_part - 1];
      for (std::uint32_t g = first; g < end; ++g) {
        for (const std::uint32_t op : schedule.groups[g].ops) {
          for (const SignalId in : list_.inputs(list_.ops[op])) {
            if (in != kSilence && made_in[in] != t) uses_[in].group = kEver;
          }
          for (std::uint32_t c = 0; c < list_.ops[op].out_count; ++c) made_in[list_.ops[op].first_out + c] = t;
        }
      }
      first = end;
    }
  }

  void place_outputs(const Op& op, std::uint32_t group) {
    const bool in_place = op.kind->in_place() && op.in_count == op.out_count;
    for (std::uint32_t c = 0; c < op.out_count; ++c) {
      const SignalId out = op.first_out + c;
      const SignalId in = in_place ? list_.inputs(op)[c] : kSilence;
      if (in != kSilence && uses_[in].group == group && uses_[in].reads == 1) {
        map_.of_signal[out] = map_.of_signal[in];
        handed_on_[in] = true;
      } else {
        map_.of_signal[out] = take();
      }
    }
  }

  void free_dead(const Op& op, std::uint32_t group) {
    for (const SignalId in : list_.inputs(op)) {
      if (in == kSilence || uses_[in].group != group || handed_on_[in]) continue;
      handed_on_[in] = true;  // once, though it may be read twice
      free_.push_back(map_.of_signal[in]);
    }
    for (std::uint32_t c = 0; c < op.out_count; ++c) {
      const SignalId out = op.first_out + c;
      if (uses_[out].group == kNever) free_.push_back(map_.of_signal[out]);
    }
  }

  std::uint32_t take() {
    if (free_.empty()) return map_.count++;
    const std::uint32_t buffer = free_.back();
    free_.pop_back();
    return buffer;
  }

  const OpList& list_;
  std::vector<LastUse> uses_;
  BufferMap map_;
  std::vector<bool> handed_on_;  // by signal: its buffer is another's, or free
  std::vector<std::uint32_t> free_;
};

}  // namespace

BufferMap assign_buffers(const OpList& list, const Schedule& schedule) {
  return Assignment(list, schedule).run(schedule);
}

}  // namespace continuo::session
