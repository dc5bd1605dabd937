// THREAD: any, one at a time - what makes sound by itself, as a flat node
#pragma once

#include <string>

#include "server/session/flat_graph.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {

/// `doc` is a source of the request's document, and outlives the node.
[[nodiscard]] FlatNode make_source(const CompileRequest& request, const DocNode& doc, const std::string& path);

}  // namespace continuo::session
