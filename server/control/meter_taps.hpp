// THREAD: control - meters of nodes that have none of their own, while somebody looks at them
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rt/types.hpp"
#include "server/base/result.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_queue.hpp"

namespace continuo::control {

/// Tracks, buses, meter nodes, "in" and "out" always have a meter. Processors, sources, feedbacks and recorders get one
/// in the next plan after the first hold on them, and lose it with the last. That is no edit: the document does not
/// change, and neither does a sample of the sound.
class MeterTaps {
  struct Core;

 public:
  struct Compile {
    std::function<void()> now;    // or in its turn of the jobs
    std::function<void()> later;  // not from within this call: who holds nothing any more may be anywhere
  };
  MeterTaps(Graph& graph, JobQueue& jobs, Compile compile);
  ~MeterTaps();
  MeterTaps(const MeterTaps&) = delete;
  MeterTaps& operator=(const MeterTaps&) = delete;

  /// While it lives its node keeps its meter: under whatever path it is, and again where an undo brings it back.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { end(); }
    [[nodiscard]] explicit operator bool() const noexcept { return core_ != nullptr; }

   private:
    friend class MeterTaps;
    void end() noexcept;
    std::shared_ptr<Core> core_;
    rt::Uid uid_ = 0;
  };

  /// Empty where the node needs none, cannot have any, or is not there.
  [[nodiscard]] Hold hold(const std::string& path);

  /// `then` as soon as those that can have a meter are in a plan, which is at once where they are already. They stay
  /// until it returns: whoever wants them longer holds them. UNAVAILABLE where the daemon ends first.
  void ready(const std::vector<std::string>& paths, std::function<void(Result<>)> then);

 private:
  JobQueue& jobs_;
  std::shared_ptr<Core> core_;
};

}  // namespace continuo::control
