// THREAD: control - which nodes the audio thread muted because they gave what is no number: by path, counted, logged
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "continuo/v1/system.pb.h"
#include "rt/renderer.hpp"
#include "server/control/graph.hpp"

namespace continuo::control {

/// [audio] mutes a node, pushes a Fault -> [control] look(), a few times a second: node -> path, log -> report().
class NodeFaults {
 public:
  static constexpr std::size_t kMost = 64;           // nodes that are remembered; who was well for longest goes
  static constexpr std::chrono::seconds kQuiet{30};  // between two lines about one node
  static constexpr std::size_t kMostLines = 10;      // of one look

  NodeFaults(const Graph& graph, rt::Renderer& renderer) : graph_(graph), renderer_(renderer) {}

  void look();

  /// The last that went wrong comes first. A node that is gone takes its faults along.
  void report(v1::GetStatusResponse& out);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::string path;  // when it was last found
    std::uint64_t count = 0;
    rt::FrameCount frame = 0;
    rt::FrameCount muted_until = 0;
    Clock::time_point logged{};
    bool untold = false;  // a fault that no line told yet
  };
  /// Of the document of now.
  [[nodiscard]] std::unordered_map<rt::Uid, std::string> paths() const;
  void forget_gone(const std::unordered_map<rt::Uid, std::string>& known);
  void take(const rt::Fault& fault);
  void tell();

  const Graph& graph_;
  rt::Renderer& renderer_;
  std::map<rt::Uid, Entry> entries_;
};

}  // namespace continuo::control
