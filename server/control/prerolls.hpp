// THREAD: control - recorders that listen before their take: armed, and with a pre_record_s above 0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "continuo/v1/system.pb.h"
#include "rt/command.hpp"
#include "rt/node.hpp"
#include "server/control/delivery.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/strand.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/preroll.hpp"

namespace continuo::control {

/// look: [control] which recorders should listen -> [disk] the circle is made -> [control] in a job: lent, in a batch
/// -> [audio] fills -> [disk] drains. A take of that recorder goes on in it (Takes::lend); a disarm, another length,
/// rate or width, or a recorder that goes, ends it. While the take runs the next circle is made, and stands behind it
/// (rt::Sink::next): the frame that the take does not have any more is the first of it. Where the disk has no
/// room a recorder does without; that is told, and tried again with the next change.
/// At most kMaxListening listen at once, as many as takes run; the losers are the later ones of the document.
class Prerolls {
 public:
  static constexpr std::size_t kMaxListening = Takes::kMaxRunning;
  struct Parts {
    Strand& strand;
    media::DiskPool& pool;
    Graph& graph;
    JobQueue& jobs;
    std::filesystem::path folder;                         // of the takes
    /// The sink of the take that a recorder has, until the audio thread has let go of it; null: it has none.
    std::function<std::shared_ptr<rt::Sink>(const std::string& path)> taking;
    std::function<void(Delta, AudioLink::Then)> deliver;  // in a job
    std::function<void(const rt::Action&)> send;
    std::function<void(const std::string& node, std::string why)> failed;
  };
  explicit Prerolls(Parts parts) : parts_(std::move(parts)) {}

  /// The document, the device, or a take has changed.
  void look();
  /// What listens at `recorder` becomes the beginning of the take that is about to be lent to it; null: nothing does.
  /// `first`: what must be done before, for a listener that does not fit any more. `group` hears of one that should
  /// listen and has heard nothing yet.
  [[nodiscard]] std::shared_ptr<media::Preroll> hand_over(const session::CompiledRecorder& recorder, double rate_hz,
                                                          std::vector<rt::Action>& first,
                                                          const std::shared_ptr<media::PrerollGroup>& group);
  /// A batch brought this sink home, or a node with it: nobody fills it any more.
  void home(const rt::Sink* sink);
  /// No callback runs any more, or the daemon ends.
  void close();
  void report(google::protobuf::RepeatedPtrField<v1::GetStatusResponse::PreRecord>& out) const;
  [[nodiscard]] std::vector<std::string> reasons() const;

 private:
  struct Wish {
    double seconds = 0.0;
    std::uint32_t channels = 0;
    double rate_hz = 0.0;
    friend bool operator==(const Wish&, const Wish&) = default;
  };
  struct Listener {
    std::uint64_t id = 0;
    Wish wish;
    rt::NodeRef recorder;
    std::shared_ptr<media::Preroll> preroll;  // null while it is made, and where it could not be
    bool lent = false;
    bool drained = false;
    std::shared_ptr<rt::Sink> behind;  // the take that it stands behind, until it is known which way that went
    std::string error;
  };
  void open(const std::string& path, const Wish& wish);
  void made(const std::string& path, std::uint64_t id);
  void lend(const std::string& path, std::uint64_t id);
  void stand_behind(const std::string& path, Listener& listener, std::shared_ptr<rt::Sink> take);
  /// True once it is not behind a take any more: lent, or taken back.
  [[nodiscard]] static bool settle(Listener& listener);
  [[nodiscard]] static bool waits_behind(const Listener& listener);
  void end(Listener& listener);
  [[nodiscard]] static rt::Action stop_of(const Listener& listener);
  void drain(Listener& listener);
  [[nodiscard]] std::map<std::string, Wish> wishes() const;

  Parts parts_;
  std::map<std::string, Listener> listeners_;                // by path
  std::vector<std::shared_ptr<media::Preroll>> everything_;  // until it is drained
  std::uint64_t next_id_ = 1;
  bool look_again_ = false;
  bool closed_ = false;
};

}  // namespace continuo::control
