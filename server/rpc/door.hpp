// THREAD: rpc - what every handler passes first: may this client, and is there room
#pragma once

#include <grpcpp/support/status.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "server/rpc/auth.hpp"

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

  [[nodiscard]] std::optional<Place> try_take() {
    if (free_->fetch_sub(1, std::memory_order_relaxed) > 0) return Place(free_);
    free_->fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }

 private:
  std::shared_ptr<std::atomic<int>> free_;
};

/// gRPC's interceptors cannot reject a call, so each handler asks here; a test calls every method of every service to
/// see that none forgot.
class Door {
 public:
  static constexpr int kMaxStreams = 256;  // watches, meters and downloads together
  static constexpr int kMaxUploads = 4;    // each may hold a session of 64 MiB

  explicit Door(Authority authority) : authority_(authority) {}

  /// Not OK: finish the call with it.
  [[nodiscard]] grpc::Status enter(std::string_view method) const;
  [[nodiscard]] const Authority& authority() const noexcept { return authority_; }

  /// From here on every new call is UNAVAILABLE.
  void close() noexcept { closed_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] std::optional<Places::Place> try_stream() { return streams_.try_take(); }
  [[nodiscard]] std::optional<Places::Place> try_upload() { return uploads_.try_take(); }

 private:
  Authority authority_;
  Places streams_{kMaxStreams};
  Places uploads_{kMaxUploads};
  std::atomic<bool> closed_{false};
};

[[nodiscard]] grpc::Status stopping_status();
[[nodiscard]] grpc::Status no_room_status(std::string_view what, int bound);

}  // namespace continuo::rpc
