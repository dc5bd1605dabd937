#include "server/media/mirror_take_file.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <optional>
#include <utility>
#include <vector>

namespace continuo::media {
namespace {

constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ull;

bool means_full(int number) { return number == ENOSPC || number == EDQUOT; }

}  // namespace

struct MirrorTakeFile::Shared {
  std::mutex mutex;
  std::condition_variable changed;
};

/// Guarded by Shared::mutex, but for `file`, which is its line's alone once work was posted.
struct MirrorTakeFile::Leg {
  Side side;
  int which = 0;
  bool out = false;
  bool last = false;         // both are out, and this one has more: what is left to do is done here
  std::uint64_t done = 0;    // operations
  std::uint64_t failed = 0;  // the operation that failed
  int number = 0;
  std::size_t written = 0;  // of the operation that failed, or of one that `last` did
  bool settled = false;     // published, discarded, or told as lost
  std::atomic<std::int64_t> free_bytes{-1};
};

MirrorTakeFile::MirrorTakeFile(Side first, Side second, std::shared_ptr<MirrorReport> report,
                               std::chrono::milliseconds patience)
    : report_(std::move(report)), patience_(patience), shared_(std::make_shared<Shared>()) {
  for (int i = 0; i < 2; ++i) {
    auto leg = std::make_shared<Leg>();
    leg->side = std::move(i == 0 ? first : second);
    leg->which = i;
    if (leg->side.file) {
      report_->opened(i, leg->side.path);
      leg->free_bytes = leg->side.file->free_bytes();
      volume_ = (volume_ ^ leg->side.file->volume()) * kGoldenRatio;
    } else {
      leg->out = leg->settled = true;
    }
    legs_[static_cast<std::size_t>(i)] = std::move(leg);
  }
}

MirrorTakeFile::~MirrorTakeFile() {
  for (auto& leg : legs_) {
    // Closing may hang as well: on the line.
    MirrorLine& line = *leg->side.line;
    line.post(0, [leg = std::move(leg)] {});
  }
}

/// Shared::mutex is held. ETIMEDOUT: `what` says it all.
void MirrorTakeFile::lose(Leg& leg, int number, const char* what, MirrorReport& report) {
  leg.out = true;
  leg.number = number;
  if (std::exchange(leg.settled, true)) return;
  report.lost(leg.which, number == ETIMEDOUT ? what : disk_error(number, leg.side.path, what).message,
              means_full(number), true);
}

void MirrorTakeFile::post(const std::shared_ptr<Leg>& leg, std::size_t bytes, std::uint64_t op, const Work& work) {
  auto job = [leg, op, work, shared = shared_, report = report_] {
    {
      const std::lock_guard lock(shared->mutex);
      if (leg->out && !leg->last) {
        leg->done = op;
        return shared->changed.notify_all();
      }
    }
    std::size_t written = 0;
    const int number = work(*leg->side.file, written);
    const std::lock_guard lock(shared->mutex);
    leg->done = op;
    leg->written = written;
    if (leg->last) {
      leg->number = number;
    } else if (number != 0 && !leg->out) {
      leg->failed = op;
      lose(*leg, number, "cannot write", *report);
    }
    shared->changed.notify_all();
  };
  if (leg->side.line->try_post(bytes, job)) return;
  const std::lock_guard lock(shared_->mutex);
  const Leg& other = *legs_[leg->which == 0 ? 1 : 0];
  if (!other.out && !leg->last)
    return lose(*leg, ETIMEDOUT, "its disk is too slow: it fell behind by more than is kept in memory");
  leg->side.line->post(bytes, std::move(job));  // alone, it is waited for
}

int MirrorTakeFile::run(std::size_t bytes, const Work& work, std::size_t& written) {
  const std::uint64_t op = ++op_;
  std::unique_lock lock(shared_->mutex);
  const bool ended = legs_[0]->out && legs_[1]->out;
  std::vector<std::shared_ptr<Leg>> at_work;
  for (const auto& leg : legs_) {
    if (ended ? leg->last : !leg->out) at_work.push_back(leg);
  }
  lock.unlock();
  for (const auto& leg : at_work) post(leg, bytes, op, work);
  lock.lock();
  if (ended) {
    if (at_work.empty()) return EIO;
    Leg& leg = *at_work.front();
    shared_->changed.wait(lock, [&] { return leg.done >= op; });
    written = leg.written;
    return std::exchange(leg.number, 0);
  }
  const auto did = [&](const auto& leg) { return !leg->out && leg->done >= op; };
  shared_->changed.wait(lock, [&] { return did(legs_[0]) || did(legs_[1]) || (legs_[0]->out && legs_[1]->out); });
  if (did(legs_[0]) || did(legs_[1])) {
    written = bytes;
    return 0;
  }
  // Until now one of them had done everything before: that one, or the better of two such, has what there is.
  const auto has_more = [](const Leg& a, const Leg& b) {
    return a.failed != b.failed ? a.failed > b.failed : a.written > b.written;
  };
  Leg& best = has_more(*legs_[1], *legs_[0]) ? *legs_[1] : *legs_[0];
  if (best.failed == 0) return EIO;
  best.last = true;
  written = best.written;
  return std::exchange(best.number, 0);
}

int MirrorTakeFile::write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) {
  const auto copy = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  written = 0;
  return run(
      bytes.size(), [offset, copy](TakeFile& file, std::size_t& count) { return file.write_at(offset, *copy, count); },
      written);
}

int MirrorTakeFile::truncate(std::int64_t size) {
  std::size_t none = 0;
  return run(0, [size](TakeFile& file, std::size_t&) { return file.truncate(size); }, none);
}

int MirrorTakeFile::look() {
  std::size_t none = 0;
  return run(0, [](TakeFile& file, std::size_t&) { return file.look(); }, none);
}

int MirrorTakeFile::sync() {
  std::size_t none = 0;
  for (const auto& leg : legs_) {
    leg->side.line->post(0, [leg] {
      if (leg->side.file) leg->free_bytes = leg->side.file->free_bytes();
    });
  }
  return run(0, [](TakeFile& file, std::size_t&) { return file.sync(); }, none);
}

int MirrorTakeFile::sync_volume() {
  std::size_t none = 0;
  for (const auto& leg : legs_) {
    leg->side.line->post(0, [leg] {
      if (leg->side.file) leg->free_bytes = leg->side.file->free_bytes();
    });
  }
  return run(0, [](TakeFile& file, std::size_t&) { return file.sync_volume(); }, none);
}

std::int64_t MirrorTakeFile::free_bytes() const noexcept {
  std::int64_t least = -1;
  const std::lock_guard lock(shared_->mutex);
  for (const auto& leg : legs_) {
    const std::int64_t free = leg->free_bytes;
    if (!leg->out && free >= 0 && (least < 0 || free < least)) least = free;
  }
  return least;
}

/// True: `number` is the answer to the caller, and nothing else is to be done.
bool MirrorTakeFile::publish_first(const std::filesystem::path& name, bool overwrite, int& number) {
  struct Answer {
    bool known = false;
    bool too_late = false;
    int number = 0;
  };
  const std::shared_ptr<Leg> leg = legs_[0];
  const auto answer = std::make_shared<Answer>();
  leg->side.line->post(0, [leg, answer, name, overwrite, shared = shared_] {
    {
      const std::lock_guard lock(shared->mutex);
      if (answer->too_late) return;
      if (leg->out && !leg->last) {
        answer->known = true;
        answer->number = leg->number;
        return shared->changed.notify_all();
      }
    }
    const int given = leg->side.file->publish(name, overwrite);
    const std::lock_guard lock(shared->mutex);
    answer->known = true;
    answer->number = given;
    shared->changed.notify_all();
  });
  std::unique_lock lock(shared_->mutex);
  const Leg& other = *legs_[1];
  const auto known = [&] { return answer->known; };
  const auto caught_up = [&] { return answer->known || other.out || other.done >= op_; };
  // Without the other one there is nothing but to wait.
  shared_->changed.wait(lock, caught_up);
  if (!answer->known && !other.out) shared_->changed.wait_for(lock, patience_, [&] { return known() || other.out; });
  if (!answer->known && !other.out) {
    answer->too_late = true;
    lose(*leg, ETIMEDOUT, "its disk does not come to the end of the take");
    return false;
  }
  shared_->changed.wait(lock, known);
  number = answer->number;
  if (number == EEXIST) return true;
  if (number == 0) {
    if (!std::exchange(leg->settled, true)) report_->published(0, leg->side.path, name);
  } else {
    lose(*leg, number, "cannot finish");
  }
  return false;
}

void MirrorTakeFile::publish_second(const std::filesystem::path& name, bool overwrite, bool wait, int& number) {
  const std::shared_ptr<Leg> leg = legs_[1];
  const auto answer = std::make_shared<std::optional<int>>();
  leg->side.line->post(0, [leg, answer, overwrite, wanted = leg->side.path.parent_path() / name.filename(),
                           shared = shared_, report = report_] {
    {
      const std::lock_guard lock(shared->mutex);
      if (leg->out && !leg->last) {
        *answer = EIO;
        return shared->changed.notify_all();
      }
    }
    std::filesystem::path final_name = wanted;
    const int given = give_free_name(final_name, [&](const std::filesystem::path& free) {
      return leg->side.file->publish(free, overwrite);
    });
    const std::lock_guard lock(shared->mutex);
    *answer = given;
    if (given == 0) {
      if (!std::exchange(leg->settled, true)) report->published(1, leg->side.path, final_name);
    } else {
      lose(*leg, given, "cannot finish", *report);
    }
    shared->changed.notify_all();
  });
  if (!wait) return;
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [&] { return answer->has_value(); });
  number = **answer;
}

int MirrorTakeFile::publish(const std::filesystem::path& name, bool overwrite) {
  std::array<bool, 2> here{};
  {
    const std::lock_guard lock(shared_->mutex);
    for (std::size_t i = 0; i < 2; ++i) here[i] = !legs_[i]->out || legs_[i]->last;
  }
  int number = EIO;
  if (here[0]) {
    if (publish_first(name, overwrite, number)) return number;
    const bool published = number == 0;
    if (here[1]) publish_second(name, overwrite, !published, number);
    return published ? 0 : number;
  }
  if (here[1]) publish_second(name, overwrite, true, number);
  return number;
}

void MirrorTakeFile::discard() noexcept {
  for (const auto& leg : legs_) {
    {
      const std::lock_guard lock(shared_->mutex);
      if (!std::exchange(leg->settled, true)) report_->discarded(leg->which);
    }
    leg->side.line->post(0, [leg] {
      if (leg->side.file) leg->side.file->discard();
    });
  }
}

}  // namespace continuo::media
