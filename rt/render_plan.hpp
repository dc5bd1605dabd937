// THREAD: control builds, audio runs - the compiled document: steps in order over one slab of buffers
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "rt/node.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// 64-byte aligned memory whose deleter knows the alignment.
struct AlignedDelete {
  void operator()(float* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;
[[nodiscard]] AlignedFloats make_aligned_floats(std::size_t count);  // zeroed, hence touched. Control thread

/// The plan's table: where a node's commands go. A slot that this plan does not use has a null node.
struct NodeEntry {
  Node* node = nullptr;
  Step* step = nullptr;
  std::uint32_t member = 0;      // index in step->members
  std::uint32_t generation = 0;  // must equal the command's
};

/// Immutable once published, but for what says "audio thread" above (Step::moving, rows, buffers). Built by
/// server/session/plan_compiler; taken and given back whole in a Batch. It does not own its nodes.
struct RenderPlan {
  std::vector<Step> steps;              // in an order that respects every connection
  std::vector<Member> members;          // steps' spans point into these four; they never grow after the build
  std::vector<const float*> in_pointers;
  std::vector<float*> out_pointers;
  std::vector<NodeEntry> nodes;         // by NodeRef::slot
  AlignedFloats slab;                   // buffers and rows
  std::size_t slab_floats = 0;
  double sample_rate_hz = 0.0;
  std::uint64_t id = 0;                 // rises by one with each plan; for logs and tests
};

}  // namespace continuo::rt
