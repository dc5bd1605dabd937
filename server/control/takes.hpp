// THREAD: control - takes: a file and a ring made on the disk side, lent to a recorder, closed, remembered
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "continuo/v1/session.pb.h"
#include "continuo/v1/system.pb.h"
#include "rt/command.hpp"
#include "server/base/result.hpp"
#include "server/control/strand.hpp"
#include "server/control/timer.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/mirror_take_file.hpp"
#include "server/media/preroll.hpp"
#include "server/media/roots.hpp"
#include "server/media/take_repair.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

class Prerolls;

/// RecordStart: [disk] open() makes file and ring -> [control] lend() in the batch that brings the recorder -> [audio]
/// fills
/// -> [disk] drains; closes at the limit or the stop -> [control] the take is in the list of the last ones.
/// A full or sick disk: [disk] closes the file at once -> [control] failed(): the take is among the last ones,
/// everybody is told, the recorder is to let go -> [audio] does -> [disk] the ring is no longer emptied -> [control]
/// closed().
class Takes {
 public:
  static constexpr std::size_t kMaxRunning = 128;
  static constexpr std::size_t kMaxProblems = 5;
  static constexpr std::size_t kRemembered = 128;  // closed ones, and as many repaired ones
  static constexpr std::chrono::milliseconds kLook{250};
  static constexpr double kLowSpaceSeconds = 600.0;    // less left on disk is told
  static constexpr double kSpaceAgainSeconds = 660.0;  // and told again once there was so much in between
  using Report = v1::GetStatusResponse::Take;

  struct Order {
    std::string node;  // path of what is recorded
    std::string file;  // "root:relative.wav", or .flac; empty: from the template
    std::uint32_t channels = 2;
    media::SampleFormat format = media::SampleFormat::float32;
    rt::FrameCount limit = rt::kEndless;
    bool split = false;  // one file a channel
    media::Container container = media::Container::wav;
    double split_seconds = 0.0;      // above 0: parts of this length
    std::int64_t split_bytes = 0;    // above 0: and of at most this size
    std::string file_template = {};  // the recorder's own; empty: the configuration's
    std::string session = {};        // its name, for the template
    std::string field = {};          // the RecordStart that it comes from, and which member chose the format
    std::string format_field = {};
    std::optional<std::int64_t> stop_timeline_frame = {};  // of the session's rate
    std::string second_root = {};                          // where it is written as well; empty: nowhere
    bool next_free_name = false;                           // of `file`, where that is taken
    bool second_must = false;                              // no take without the second
  };
  /// Of the place that the files tell; set before the batch is sent that begins the take.
  struct Placing {
    rt::FrameCount latency_frames = 0;  // the sound of a frame belongs so much earlier
    std::int64_t utc_ns = 0;            // at
    rt::FrameCount utc_frame = 0;       // engine frame
    double rate_hz = 48000.0;
    [[nodiscard]] media::TakePlace place(rt::FrameCount engine_frame, rt::FrameCount timeline_frame) const;
  };
  struct Opened {
    Order order;
    std::string name;  // "takes:vox-20261120-120000.wav"
    std::shared_ptr<media::TakeWriter> writer;
    double rate_hz = 0.0;
    std::uint64_t id = 0;
    std::string second = {};  // "takes2:vox-20261120-120000.wav"; empty: it is written once
    std::shared_ptr<media::MirrorReport> mirror = {};
    std::shared_ptr<Placing> placing = {};
  };
  struct Ref {
    std::uint64_t id = 0;
    std::vector<std::string> files;  // part by part, each one or one a channel
  };
  [[nodiscard]] static Ref ref(const Opened& take);
  struct Hooks {
    std::function<void()> ended;                                 // a take was closed; its recorder is free
    std::function<void(const rt::Action&)> send;                 // to the audio thread, from the next buffer on
    std::function<void(v1::WatchResponse::TakeEvent)> happened;  // for every watcher
  };

  /// `make`: how the files are made; empty: on the real disk.
  Takes(Strand& strand, media::DiskPool& pool, const media::Roots& roots, std::string file_template, Hooks hooks,
        media::MakeTakeFile make = {});
  ~Takes() { stop_repair_->store(true, std::memory_order_relaxed); }

  /// At the start, for each media root: what a killed daemon left open in `folder` is repaired, listed and told.
  void repair(const std::filesystem::path& folder);

  /// All of them or an error (then nothing was left behind).
  void open(std::vector<Order> orders, double rate_hz, std::function<void(Result<std::vector<Opened>>)> done);
  /// The files that the orders name could be made now; makes none.
  void check(const std::vector<Order>& orders, std::function<void(Result<>)> done);
  /// Opened and not lent after all: closed and deleted.
  void discard(std::vector<Opened> takes);

  /// The record_start action for a batch, behind what must come before it.
  /// `stop`: the timeline frame (of the engine's rate) at which it ends by itself; kNow: none.
  /// `group`: of all takes of this batch.
  void lend(Opened take, const session::CompiledRecorder& recorder, rt::FrameCount stop,
            std::vector<rt::Action>& actions, const std::shared_ptr<media::PrerollGroup>& group);
  /// Who knows what was before a take; may be null.
  void use(Prerolls* prerolls) { prerolls_ = prerolls; }
  [[nodiscard]] const Prerolls* prerolls() const noexcept { return prerolls_; }
  void use(std::function<Placing(const session::CompiledRecorder&)> placement) { placement_ = std::move(placement); }
  /// What a batch brought home: a sink that is still in it was refused; one in a dropped recorder was cut off.
  void home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped);

  [[nodiscard]] bool recording(const std::string& node) const;
  /// What the audio thread fills for that node's take, until it has let go of it; null: nothing.
  [[nodiscard]] std::shared_ptr<rt::Sink> sink_of(const std::string& node) const;
  /// Takes that are lent and neither told to stop nor closed.
  [[nodiscard]] std::set<std::string> recording() const;
  [[nodiscard]] std::size_t running() const noexcept { return running_.size(); }
  /// Nodes whose take was ended by its disk, and whose stop nobody asked for since: asking is no error, and names it.
  [[nodiscard]] std::set<std::string> cut_off() const;
  /// The record_stop actions for `nodes`; the takes go to `stopped`, those of cut_off() as well.
  [[nodiscard]] std::vector<rt::Action> stop(const std::set<std::string>& nodes, std::vector<Ref>& stopped);
  /// `then` once all of them are closed: at once, or later. A stopped take is asked for once, so these are bounded.
  void when_closed(const std::vector<Ref>& takes, std::function<void(std::vector<Report>)> then);
  /// No audio callback runs any more: every take is closed with what its ring holds.
  void abandon();

  /// The root that takes go to as well where nobody names one; empty: none.
  [[nodiscard]] std::string default_second() const { return has_root("takes2") ? "takes2" : ""; }
  [[nodiscard]] bool has_root(const std::string& name) const { return roots_.folders().contains(name); }
  /// Why the root that takes go to as well takes nothing for now: told, and a reason until a take is written there.
  void without_second(std::string why);
  /// The operations that begin the running takes anew, into other files.
  void again(google::protobuf::RepeatedPtrField<v1::Operation>& out) const;
  /// Second destinations that have not got all of a take that is closed.
  [[nodiscard]] bool copies_under_way() const;

  /// The running and the last ones, for the status.
  void report(google::protobuf::RepeatedPtrField<Report>& out) const;
  /// The volumes of the running ones, by TakeWriter::volume().
  [[nodiscard]] std::map<std::uint64_t, v1::GetStatusResponse::TakeVolume> volumes() const;
  /// Why takes are not as they should be, for the status: those that a disk ended, until another one begins; disks that
  /// are soon full.
  [[nodiscard]] std::vector<std::string> reasons() const;

 private:
  struct Running {
    Opened take;
    rt::NodeRef recorder;
    std::shared_ptr<media::Preroll> before = {};  // what it listened to: it fills the take
    bool stopping = false;
    bool failed = false;  // closed, and among the last ones: only the audio thread has not let go yet
    std::uint64_t told_lost = 0;
    Timer::Clock::time_point lost_told_at{};
    [[nodiscard]] rt::Sink* sink() const { return before ? &before->sink() : &take.writer->sink(); }
  };
  struct Waiter {
    std::set<std::uint64_t> missing;
    std::vector<Report> closed;
    std::function<void(std::vector<Report>)> then;
  };
  /// A take that is written to two places, until both are done with it.
  struct Copy {
    Opened take;  // without its writer
    std::array<bool, 2> told{};
    bool take_closed = false;
  };
  [[nodiscard]] std::shared_ptr<media::MirrorLine> line_of(const std::string& root);
  void look_at_copies();
  void copy_of(const Opened& take);
  void put_right(const Opened& take, Report& report) const;  // where the sound is
  static void describe_copies(const Opened& take, Report& out);
  void failed(const media::TakeWriter* writer, const media::TakeResult& result);
  void closed(const media::TakeWriter* writer, const media::TakeResult& result);
  void remember(const Opened& take, const media::TakeResult& result);
  void repaired(const std::filesystem::path& folder, const std::vector<media::RepairedTake>& takes);
  void look();
  void tell_losses();
  void tell_low_space();
  void tell(v1::WatchResponse::TakeEvent::Kind kind, const Report* take, std::string message) const;
  void describe(const Opened& take, Report& out) const;

  Strand& strand_;
  media::DiskPool& pool_;
  const media::Roots& roots_;
  const std::string template_;
  const Hooks hooks_;
  const media::MakeTakeFile make_;
  const std::shared_ptr<std::atomic<bool>> stop_repair_ = std::make_shared<std::atomic<bool>>(false);
  std::uint64_t next_id_ = 1;
  std::vector<Running> running_;
  std::deque<Report> last_;
  std::deque<Report> repaired_;
  std::map<std::string, Ref> cut_off_;  // by node; as bounded as the takes that one session can name
  std::deque<std::string> problems_;    // since the last take began
  std::string no_second_;
  std::set<std::uint64_t> low_;         // volumes of which it was told that they are soon full
  std::vector<Waiter> waiters_;
  std::map<std::string, std::shared_ptr<media::MirrorLine>> lines_;  // by root; as many as roots that takes named
  std::vector<Copy> copies_;
  Prerolls* prerolls_ = nullptr;
  std::function<Placing(const session::CompiledRecorder&)> placement_;
  Timer timer_;
};

/// A volume's line: "takes: is full in 8 min 20 s ...".
[[nodiscard]] std::string low_space_text(const v1::GetStatusResponse::TakeVolume& volume);

}  // namespace continuo::control
