// THREAD: any, one call at a time - the daemon's jobs: every call of its job service
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "continuo/v1/job.pb.h"

namespace continuo::cli {

/// Each call throws a Failure. Those that answer once end after `timeout`.
class JobClient {
 public:
  JobClient(std::string address, std::chrono::milliseconds timeout);
  ~JobClient();

  /// They name the client.
  [[nodiscard]] v1::Job start_render(v1::StartRenderRequest request);
  [[nodiscard]] v1::Job start_scan(v1::StartScanRequest request);
  v1::Job cancel(std::uint64_t id);
  [[nodiscard]] v1::Job get(std::uint64_t id);
  /// Page after page, the newest first.
  void list(const std::function<void(const v1::Job&)>& on_job);
  /// Of one job: until its end. Of all: until an interrupt. False where an interrupt ended it.
  bool watch(std::optional<std::uint64_t> id, const std::function<void(const v1::Job&)>& on_job);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::cli
