#include "server/media/preroll.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <utility>
#include <vector>

#include "server/media/take_file.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockSamples = 65536;
constexpr std::size_t kGapRing = 1024;
constexpr std::size_t kMaxHoles = 1024;  // remembered; the loser is the newest, which becomes silence without a mark

/// A file without a name on the volume of `folder`; below 0: an errno.
int open_nameless(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd >= 0 ? fd : -errno;
  std::string name = (folder / ".preroll-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) return -errno;
  ::unlink(name.c_str());
  return named;
}

}  // namespace

struct Preroll::Impl {
  PrerollRequest request;
  int fd = -1;
  std::int64_t frame_bytes = 0;
  std::int64_t capacity = 0;  // frames of the file
  std::int64_t wanted = 0;    // frames before a take
  rt::Sink sink;
  rt::RingReader<float> frames;
  rt::RingReader<rt::Gap> gaps;
  std::vector<float> samples;
  std::deque<rt::Gap> holes;   // not yet passed on
  std::int64_t head = 0;       // frame of the sink that comes next
  std::int64_t tail = 0;       // the oldest one that is kept
  std::int64_t gap_done = 0;   // frames of the front gap that were passed
  std::int64_t first = -1;     // of the sink: the take's first frame; below 0: no take
  std::int64_t earliest = -1;  // what it could be; from then on nothing that is younger goes. Below 0: no take
  bool broken = false;         // nothing is written to the file any more
  std::atomic<std::int64_t> kept{0};
  std::atomic<bool> abandoned{false};
  mutable std::mutex mutex;
  std::shared_ptr<TakeWriter> take;     // under the mutex
  std::shared_ptr<PrerollGroup> group;  // under the mutex; once `take` is there it stays
  std::string error;                    // under the mutex
  std::shared_ptr<TakeWriter> target;

  ~Impl() {
    if (group) group->leave(this);
    if (fd >= 0) ::close(fd);
  }

  void fail(int number) {
    broken = true;
    const std::lock_guard lock(mutex);
    error = disk_error(number, request.folder, "cannot keep what is before a take in").message;
  }

  /// `count` frames of `samples` at frame `at`; or into them.
  bool move_file(std::int64_t at, std::int64_t count, bool in) {
    auto* bytes = reinterpret_cast<char*>(samples.data());
    while (count > 0) {
      const std::int64_t place = at % capacity;
      const std::int64_t n = std::min(count, capacity - place);
      std::int64_t left = n * frame_bytes;
      std::int64_t offset = place * frame_bytes;
      while (left > 0) {
        const ssize_t done = in ? ::pwrite(fd, bytes, static_cast<std::size_t>(left), offset)
                                : ::pread(fd, bytes, static_cast<std::size_t>(left), offset);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
          fail(done < 0 ? errno : EIO);
          return false;
        }
        bytes += done;
        left -= done;
        offset += done;
      }
      at += n;
      count -= n;
    }
    return true;
  }

  /// Frames that the take's ring has room for.
  [[nodiscard]] std::int64_t room() const {
    return static_cast<std::int64_t>(target->sink().frames.space() / request.channels);
  }
  /// `count` frames of `samples` become the take's next ones.
  void give(std::int64_t count) {
    rt::Sink& out = target->sink();
    (void)out.frames.write({samples.data(), static_cast<std::size_t>(count * request.channels)});
    tail += count;
    publish();
  }
  bool give_hole(std::int64_t count) {
    rt::Sink& out = target->sink();
    if (!out.gaps.try_push({.at = tail - first, .length = count})) return false;
    out.lost_frames.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
    tail += count;
    publish();
    return true;
  }
  void publish() {
    rt::Sink& out = target->sink();
    out.audio_.taken = tail - first;
    out.frames_taken.store(tail - first, std::memory_order_release);
  }

  /// The take has begun: from here on `tail` moves with what it is given.
  void look_for_take() {
    if (target != nullptr || !sink.started.load(std::memory_order_acquire)) return;
    std::shared_ptr<TakeWriter> begins;
    std::shared_ptr<PrerollGroup> with;
    {
      const std::lock_guard lock(mutex);
      begins = take;
      with = group;
    }
    if (begins == nullptr) return;
    const std::int64_t begun = sink.begun_at.load(std::memory_order_relaxed);
    const rt::FrameCount engine = sink.start_engine_frame.load(std::memory_order_relaxed);
    if (earliest < 0) {
      earliest = std::min(begun, std::max({tail, begun - wanted, std::int64_t{0}}));
      tail = earliest;
      if (with) with->tell(this, engine - (begun - earliest));
    }
    first = earliest;
    if (with) {
      const auto together = with->frame();
      if (!together) return;
      first = begun - std::clamp<rt::FrameCount>(engine - *together, 0, begun - earliest);
    }
    tail = first;
    target = std::move(begins);
    rt::Sink& out = target->sink();
    out.audio_.begun = true;
    out.start_engine_frame.store(engine - (begun - first), std::memory_order_relaxed);
    out.start_timeline_frame.store(sink.start_timeline_frame.load(std::memory_order_relaxed) - (begun - first),
                                   std::memory_order_relaxed);
    out.begun_at.store(0, std::memory_order_relaxed);
    out.started.store(true, std::memory_order_release);
    while (!holes.empty() && holes.front().at + holes.front().length <= first) holes.pop_front();
  }

  void hole(std::int64_t length) {
    const bool joins = !holes.empty() && holes.back().at + holes.back().length == head;
    while (!joins && holes.size() >= kMaxHoles && !broken && length > 0) {
      const std::int64_t n = std::min(length, kBlockSamples / request.channels);
      samples.assign(static_cast<std::size_t>(n * request.channels), 0.0f);
      if (!move_file(head, n, true)) break;
      head += n;
      length -= n;
    }
    if (length == 0) return;
    if (!holes.empty() && holes.back().at + holes.back().length == head)
      holes.back().length += length;
    else
      holes.push_back({.at = head, .length = length});
    head += length;
  }

  /// Frames that may come in before something old must go that the take still needs.
  [[nodiscard]] std::int64_t space() const { return earliest < 0 ? capacity : capacity - (head - tail); }
  void forget_old() {
    if (earliest >= 0) return;
    tail = std::max(tail, head - capacity);
    if (broken) tail = head;
    while (!holes.empty() && holes.front().at + holes.front().length <= tail) holes.pop_front();
    kept.store(std::min(wanted, head - tail), std::memory_order_relaxed);
  }

  /// From the audio thread's ring: into the circle, or past it where the take waits for nothing else.
  void take_in() {
    auto budget = static_cast<std::int64_t>(frames.capacity() / request.channels);
    while (budget > 0) {
      auto ready = static_cast<std::int64_t>(frames.available() / request.channels);
      if (const rt::Gap* gap = gaps.peek(); gap != nullptr && gap->at + gap_done <= head) {
        const std::int64_t n = std::min({gap->length - gap_done, budget, space()});
        if (n <= 0) return;
        hole(n);
        gap_done += n;
        budget -= n;
        if (gap_done >= gap->length) {
          gaps.skip(1);
          gap_done = 0;
        }
        forget_old();
        continue;
      } else if (gap != nullptr) {
        ready = std::min(ready, gap->at - head);
      }
      const bool past = target != nullptr && tail == head && holes.empty();
      std::int64_t n = std::min({ready, budget, kBlockSamples / request.channels});
      n = std::min(n, past && (broken || room() > 0) ? room() : broken && target != nullptr ? 0 : space());
      if (n <= 0) return;
      samples.resize(static_cast<std::size_t>(n * request.channels));
      frames.read(samples);
      if (past && (broken || room() >= n)) {
        head += n;
        give(n);
      } else if (!broken && move_file(head, n, true)) {
        head += n;
      } else {
        hole(n);
      }
      forget_old();
      budget -= n;
    }
  }

  /// From the circle into the take.
  void hand_over() {
    while (target != nullptr && tail < head) {
      if (!holes.empty() && holes.front().at <= tail) {
        const std::int64_t n = holes.front().at + holes.front().length - tail;
        if (n > 0 && !give_hole(n)) return;
        holes.pop_front();
        continue;
      }
      const std::int64_t end = holes.empty() ? head : std::min(head, holes.front().at);
      const std::int64_t n = std::min({end - tail, room(), kBlockSamples / request.channels});
      if (n <= 0) return;
      samples.resize(static_cast<std::size_t>(n * request.channels));
      if (broken || !move_file(tail, n, false)) {
        if (!give_hole(end - tail)) return;
        continue;
      }
      give(n);
    }
  }
};

Preroll::Preroll(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Preroll::~Preroll() = default;

Result<std::unique_ptr<Preroll>> Preroll::open(const PrerollRequest& request) {
  if (request.channels < 1 || request.channels > 128 || !(request.seconds > 0.0 && request.seconds <= kMaxSeconds) ||
      !(request.sample_rate_hz >= 1.0)) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "pre_record_s", "a pre-record of up to 600 s");
  }
  auto impl = std::make_unique<Impl>();
  Impl& p = *impl;
  p.request = request;
  p.frame_bytes = static_cast<std::int64_t>(request.channels) * static_cast<std::int64_t>(sizeof(float));
  p.wanted = static_cast<std::int64_t>(request.seconds * request.sample_rate_hz);
  p.capacity = p.wanted + static_cast<std::int64_t>(kSlackSeconds * request.sample_rate_hz);
  const std::int64_t bytes = p.capacity * p.frame_bytes;
  p.fd = open_nameless(request.folder);
  if (p.fd < 0) return disk_error(-std::exchange(p.fd, -1), request.folder, "cannot make a file in");
  struct statvfs room{};
  const bool known = ::fstatvfs(p.fd, &room) == 0;
  if (known && static_cast<std::int64_t>(room.f_bavail * room.f_frsize) < 2 * bytes)
    return disk_error(ENOSPC, request.folder, "no room for a pre-record in");
  if (const int number = ::posix_fallocate(p.fd, 0, bytes))
    return disk_error(number, request.folder, "no room for a pre-record in");
  const double ring = std::max(256.0, std::clamp(request.ring_seconds, 0.0, 60.0) * request.sample_rate_hz);
  auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(ring) * request.channels);
  auto [gap_writer, gap_reader] = rt::make_ring<rt::Gap>(kGapRing);
  p.sink.frames = std::move(writer);
  p.sink.gaps = std::move(gap_writer);
  p.sink.channels = request.channels;
  p.sink.waits = true;
  p.frames = std::move(reader);
  p.gaps = std::move(gap_reader);
  return std::unique_ptr<Preroll>(new Preroll(std::move(impl)));
}

rt::Sink& Preroll::sink() noexcept { return impl_->sink; }
double Preroll::sample_rate_hz() const noexcept { return impl_->request.sample_rate_hz; }
std::uint32_t Preroll::channels() const noexcept { return impl_->request.channels; }
double Preroll::seconds() const noexcept { return impl_->request.seconds; }
std::int64_t Preroll::file_bytes() const noexcept { return impl_->capacity * impl_->frame_bytes; }
double Preroll::kept_seconds() const noexcept {
  return static_cast<double>(impl_->kept.load(std::memory_order_relaxed)) / impl_->request.sample_rate_hz;
}
std::string Preroll::error() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->error;
}

void Preroll::begin_with(std::shared_ptr<TakeWriter> take, std::shared_ptr<PrerollGroup> group) {
  if (group) group->join(impl_.get());
  const std::lock_guard lock(impl_->mutex);
  impl_->take = std::move(take);
  impl_->group = std::move(group);
}

void Preroll::abandon() noexcept { impl_->abandoned.store(true, std::memory_order_release); }

bool Preroll::drain() {
  Impl& p = *impl_;
  const bool finished = p.sink.finished.load(std::memory_order_acquire) || p.abandoned.load(std::memory_order_acquire);
  p.look_for_take();
  p.hand_over();
  p.take_in();
  p.hand_over();
  if (!finished || p.frames.available() != 0 || p.gaps.peek() != nullptr) return false;
  p.look_for_take();
  if (p.target == nullptr) {
    if (p.earliest >= 0) return false;  // it began; those that began with it are not heard of yet
    const std::lock_guard lock(p.mutex);
    if (p.take != nullptr) p.take->abandon();  // it never began
    if (p.group != nullptr) p.group->leave(&p);
    return true;
  }
  // Lost at the very end: no frame came after the gap to bring it along.
  if (const std::int64_t missing = p.sink.frames_taken.load(std::memory_order_acquire) - p.head; missing > 0)
    p.hole(missing);
  p.hand_over();
  if (p.tail < p.head) return false;
  p.target->sink().finished.store(true, std::memory_order_release);
  return true;
}

}  // namespace continuo::media
