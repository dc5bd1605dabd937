#include "server/control/disk_lines.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace continuo::control {

struct DiskLines::Places {
  const std::size_t per_root;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::size_t> taken;
  std::size_t threads = 0;

  explicit Places(std::size_t bound) : per_root(bound) {}
  void leave(const std::string& root) {
    const std::lock_guard lock(mutex);
    if (--taken[root] == 0) taken.erase(root);
    --threads;
    changed.notify_all();
  }
};

struct DiskLines::Line::Core {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> line;
  bool closing = false;

  /// Nothing: it is over.
  std::function<void()> next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return closing || !line.empty(); });
    if (line.empty()) return {};
    auto work = std::move(line.front());
    line.pop_front();
    return work;
  }
};

DiskLines::Line::~Line() {
  const std::lock_guard lock(core_->mutex);
  core_->closing = true;
  core_->changed.notify_all();
}

void DiskLines::Line::post(std::function<void()> work) {
  const std::lock_guard lock(core_->mutex);
  core_->line.push_back(std::move(work));
  core_->changed.notify_all();
}

DiskLines::DiskLines(std::size_t per_root) : places_(std::make_shared<Places>(per_root)) {}

DiskLines::~DiskLines() {
  std::unique_lock lock(places_->mutex);
  places_->changed.wait_for(lock, kPatience, [&] { return places_->threads == 0; });
}

std::shared_ptr<DiskLines::Line> DiskLines::try_open(const std::string& root) {
  {
    const std::lock_guard lock(places_->mutex);
    std::size_t& taken = places_->taken[root];
    if (taken >= places_->per_root) return nullptr;
    ++taken;
    ++places_->threads;
  }
  auto core = std::make_shared<Line::Core>();
  std::thread([core, root, places = places_] {
    pthread_setname_np(pthread_self(), "continuo-media");
    while (auto work = core->next()) {
      work();
      work = nullptr;
    }
    places->leave(root);
  }).detach();
  return std::shared_ptr<Line>(new Line(std::move(core)));
}

}  // namespace continuo::control
