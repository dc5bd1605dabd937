#include "server/render/chunk_crew.hpp"

namespace continuo::render {

ChunkCrew::ChunkCrew(std::uint32_t threads, bool graph)
    : graph_(graph && threads > 1), team_(graph_ ? threads - 1 : 0, patience_), files_(threads), crew_(threads) {}

void ChunkCrew::run(const ChunkWork& work) {
  files_.offer(static_cast<std::uint32_t>(work.files));
  filled_.store(0, std::memory_order_relaxed);
  rendered_.store(false, std::memory_order_relaxed);
  crew_.run([&](std::uint32_t member) {
    if (member == 0) work.meanwhile();
    fill(member, work);
    if (member != 0) return graph_ ? serve(member - 1) : void();
    for (std::uint32_t looks = 0; filled_.load(std::memory_order_acquire) != work.files; ++looks)
      patience_.pause(looks);
    work.render();
    rendered_.store(true, std::memory_order_release);
  });
}

void ChunkCrew::fill(std::uint32_t member, const ChunkWork& work) {
  for (std::uint32_t file = 0; files_.try_take(member, file);) {
    work.fill(file);
    filled_.fetch_add(1, std::memory_order_release);
  }
}

void ChunkCrew::serve(std::uint32_t worker) {
  for (std::uint32_t looks = 0; !rendered_.load(std::memory_order_acquire); ++looks) {
    if (team_.help(worker)) looks = 0;
    patience_.pause(looks);
  }
}

}  // namespace continuo::render
