// THREAD: any - threads for disk work of clients: one a transfer or question, so many a media root
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace continuo::control {

/// A disk may hang for minutes: then its own root's lines are taken, and nobody else waits. Nobody ever waits for a
/// line but the destructor, and that not for long.
class DiskLines {
 public:
  static constexpr std::chrono::milliseconds kPatience{500};

  explicit DiskLines(std::size_t per_root);
  /// Waits up to kPatience for work under way. A line that is stuck by then is left alone with what it holds.
  ~DiskLines();
  DiskLines(const DiskLines&) = delete;
  DiskLines& operator=(const DiskLines&) = delete;

  /// Does what is posted, first in first out. Once it is destroyed and all that is done, its place is free again.
  class Line {
   public:
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    void post(std::function<void()> work);

   private:
    friend class DiskLines;
    struct Core;
    explicit Line(std::shared_ptr<Core> core) : core_(std::move(core)) {}
    std::shared_ptr<Core> core_;
  };

  /// Null where the root's lines are all taken.
  [[nodiscard]] std::shared_ptr<Line> try_open(const std::string& root);

 private:
  struct Places;
  std::shared_ptr<Places> places_;
};

}  // namespace continuo::control
