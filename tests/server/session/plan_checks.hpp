// THREAD: any - what must hold of every plan, whatever the document
#pragma once

#include <string>

#include "rt/render_plan.hpp"

namespace continuo::session::test {

/// Empty, or what is wrong: a step too wide, a buffer that is written while somebody still reads it, a buffer read that
/// nobody wrote, an address outside the slab, lanes or rows that overlap, a table that points elsewhere.
[[nodiscard]] std::string fault_of(const rt::RenderPlan& plan);

/// Of a plan for several threads. Empty, or what is wrong: steps in no task, a task that runs before what it waits for,
/// two tasks that may run at once where one writes what the other touches, or that share a node.
[[nodiscard]] std::string task_fault_of(const rt::RenderPlan& plan);

}  // namespace continuo::session::test
