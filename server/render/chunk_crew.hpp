// THREAD: job - one chunk of a render after the other, shared by a crew: the files first, then the graph
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "rt/shares.hpp"
#include "rt/team.hpp"
#include "server/render/crew.hpp"

namespace continuo::render {

/// What a chunk consists of. All of it is called on the caller's thread, but for fill().
struct ChunkWork {
  std::size_t files = 0;                  // and whatever else can be done side by side before the graph
  std::function<void(std::size_t)> fill;  // each number once, on anybody's thread
  std::function<void()> meanwhile;        // while others may fill
  std::function<void()> render;           // when all are full; the team helps
};

/// Each member fills files of its own first (see rt::Shares), then others'; then the members serve the renderer's team
/// until the chunk is rendered. No sample depends on who did what.
class ChunkCrew {
 public:
  /// `threads`: the caller among them. `graph`: the plan is cut into tasks; else there is no team, and the members only
  /// fill.
  ChunkCrew(std::uint32_t threads, bool graph);

  /// For Renderer::use_team(); null where there is none.
  [[nodiscard]] rt::Team* team() noexcept { return graph_ ? &team_ : nullptr; }
  [[nodiscard]] std::uint32_t threads() const noexcept { return crew_.members(); }

  void run(const ChunkWork& work);

 private:
  void fill(std::uint32_t member, const ChunkWork& work);
  void serve(std::uint32_t worker);

  Patience patience_;
  const bool graph_;
  rt::Team team_;
  rt::Shares files_;
  std::atomic<std::size_t> filled_{0};
  std::atomic<bool> rendered_{false};
  Crew crew_;  // goes first: its threads use the rest
};

}  // namespace continuo::render
