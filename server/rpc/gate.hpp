// THREAD: rpc - what the doors of all listeners share: whether anybody is let in, and how much room there is
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/base/result.hpp"

namespace continuo::rpc {

/// A counted place. `try_take` never waits; whoever finds it full is refused.
class Places {
 public:
  explicit Places(int bound) : free_(std::make_shared<std::atomic<int>>(bound)) {}

  /// Given back when it is destroyed, which may be after the Places are gone.
  class Place {
   public:
    Place(Place&& other) noexcept : free_(std::move(other.free_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (free_) free_->fetch_add(1, std::memory_order_relaxed);
    }

   private:
    friend class Places;
    explicit Place(std::shared_ptr<std::atomic<int>> free) : free_(std::move(free)) {}
    std::shared_ptr<std::atomic<int>> free_;
  };

  /// So that `keep` others stay free.
  [[nodiscard]] std::optional<Place> try_take(int keep = 0) {
    if (free_->fetch_sub(1, std::memory_order_relaxed) > keep) return Place(free_);
    free_->fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }

 private:
  std::shared_ptr<std::atomic<int>> free_;
};

/// A place among everybody's streams, and one among the caller's own.
struct StreamPlace {
  Places::Place of_all;
  Places::Place of_caller;
};

/// Edits that one caller sends: so many a second, and a second's worth at once.
class EditRate {
 public:
  using Clock = std::chrono::steady_clock;
  explicit EditRate(double per_second, double at_once) : per_second_(per_second), at_once_(at_once), left_(at_once) {}

  /// All of them or none.
  [[nodiscard]] bool try_take(int operations, Clock::time_point now);

 private:
  const double per_second_;
  const double at_once_;
  std::mutex mutex_;
  double left_;
  Clock::time_point last_{};
};

class Gate {
 public:
  static constexpr int kMaxStreams = 1024;         // watches, meters and downloads together
  static constexpr int kMaxStreamsOfCaller = 256;  // of them
  static constexpr int kKeptForShort = 16;     // of either, for what ends by itself: who looks keeps nobody from saving
  static constexpr int kMaxLoads = 8;          // each may hold a session of 64 MiB
  static constexpr int kMaxLoadsOfCaller = 2;  // of them
  static constexpr std::size_t kMaxAccounts = 256;  // callers beyond share one
  static constexpr int kLargestEdit = 10'000;       // operations; fits, whatever the rate

  explicit Gate(std::uint32_t operations_per_second) : operations_per_second_(operations_per_second) {}

  /// From here on every new call is UNAVAILABLE.
  void close() noexcept { closed_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool closed() const noexcept { return closed_.load(std::memory_order_relaxed); }

  enum class Lasts : std::uint8_t { until_the_client_goes, until_it_is_told };
  [[nodiscard]] std::optional<StreamPlace> try_stream(const std::string& caller, Lasts lasts);
  [[nodiscard]] std::optional<StreamPlace> try_load(const std::string& caller);
  [[nodiscard]] bool try_edit(const std::string& caller, int operations);
  /// Who was not let in, or not further, and how often since the last time that it was told: at most once a second and
  /// caller, for somebody may hammer at the door.
  struct Refusal {
    std::string caller;
    std::string what;  // the method
    Error error;
    std::uint64_t count = 1;
  };
  /// Before anybody is served.
  void tell(std::function<void(const Refusal&)> call) { tell_ = std::move(call); }
  void refused(const std::string& caller, std::string_view what, const Error& error);

  [[nodiscard]] std::uint32_t operations_per_second() const noexcept { return operations_per_second_; }

 private:
  struct Account {
    explicit Account(double per_second);
    Places streams{kMaxStreamsOfCaller};
    Places loads{kMaxLoadsOfCaller};
    EditRate edits;
    std::uint64_t refusals = 0;  // not told yet; under the mutex, as the next
    std::chrono::steady_clock::time_point told{};
  };
  static constexpr std::chrono::seconds kTellEvery{1};
  [[nodiscard]] std::shared_ptr<Account> account(const std::string& caller);

  const std::uint32_t operations_per_second_;
  Places streams_{kMaxStreams};
  Places loads_{kMaxLoads};
  std::atomic<bool> closed_{false};
  std::function<void(const Refusal&)> tell_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Account>> accounts_;
};

}  // namespace continuo::rpc
