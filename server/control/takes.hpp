// THREAD: control - takes: a file and a ring made on the disk side, lent to a recorder, closed, remembered
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "continuo/v1/system.pb.h"
#include "rt/command.hpp"
#include "server/base/result.hpp"
#include "server/control/strand.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/roots.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

/// RecordStart: [disk] open() makes file and ring -> [control] lend() in the batch that brings the recorder -> [audio]
/// fills
/// -> [disk] drains; closes at the limit or the stop -> [control] the take is in the list of the last ones.
class Takes {
 public:
  static constexpr std::size_t kMaxRunning = 128;
  static constexpr std::size_t kRemembered = 32;

  struct Order {
    std::string node;  // path of what is recorded
    std::string file;  // "root:relative.wav"; empty: from the template
    std::uint32_t channels = 2;
    media::SampleFormat format = media::SampleFormat::float32;
    rt::FrameCount limit = rt::kEndless;
  };
  struct Opened {
    Order order;
    std::string name;  // "takes:vox-20261120-120000.wav"
    std::shared_ptr<media::TakeWriter> writer;
  };

  /// `ended`: a take was closed; its recorder is free.
  Takes(Strand& strand, media::DiskPool& pool, const media::Roots& roots, std::string file_template,
        std::function<void()> ended);

  /// All of them or an error (then nothing was left behind).
  void open(std::vector<Order> orders, double rate_hz, std::function<void(Result<std::vector<Opened>>)> done);
  /// The files that the orders name could be made now; makes none.
  void check(const std::vector<Order>& orders, std::function<void(Result<>)> done);
  /// Opened and not lent after all: closed and deleted.
  void discard(std::vector<Opened> takes);

  /// The record_start action for a batch.
  [[nodiscard]] rt::Action lend(Opened take, const session::CompiledRecorder& recorder);
  /// What a batch brought home: a sink that is still in it was refused; one in a dropped recorder was cut off.
  void home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped);

  [[nodiscard]] bool recording(const std::string& node) const;
  /// Takes that are lent and neither told to stop nor closed.
  [[nodiscard]] std::set<std::string> recording() const;
  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }
  /// The record_stop actions for `nodes`; the takes' names go to `names`.
  [[nodiscard]] std::vector<rt::Action> stop(const std::set<std::string>& nodes, std::vector<std::string>& names);
  /// No audio callback runs any more: every take is closed with what its ring holds.
  void abandon();

  /// The running and the last ones, for the status.
  void report(google::protobuf::RepeatedPtrField<v1::GetStatusResponse::Take>& out) const;

 private:
  struct Running {
    Opened take;
    rt::NodeRef recorder;
    bool stopping = false;
  };
  void closed(const media::TakeWriter* writer, const media::TakeResult& result);
  void describe(const Opened& take, v1::GetStatusResponse::Take& out) const;

  Strand& strand_;
  media::DiskPool& pool_;
  const media::Roots& roots_;
  const std::string template_;
  const std::function<void()> ended_;
  std::vector<Running> running_;
  std::deque<v1::GetStatusResponse::Take> last_;
};

/// "{node}-{date}-{time}-{n}" with everything filled in; what a file name cannot hold becomes '_'.
[[nodiscard]] std::string take_name(const std::string& file_template, const std::string& node, int n);

}  // namespace continuo::control
