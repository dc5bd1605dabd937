// THREAD: rpc - grpc health for "continuo.audio": whether there is sound, as against whether there is an answer
#pragma once

#include <grpcpp/health_check_service_interface.h>

#include <memory>

#include "server/control/engine.hpp"

namespace continuo::rpc {

inline constexpr const char* kAudioHealth = "continuo.audio";

/// Follows Engine::audio_alive(); "" stays SERVING, for a stalled device must not lock clients out of asking why.
/// Engine and service must live until it was stopped.
class Health {
 public:
  Health(control::Engine& engine, grpc::HealthCheckServiceInterface& service);
  ~Health();

  /// Any thread: "" and "continuo.audio" are NOT_SERVING from here on.
  void stop();

 private:
  struct Poll;
  std::shared_ptr<Poll> poll_;
};

}  // namespace continuo::rpc
