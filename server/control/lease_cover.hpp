// THREAD: control - which parts of a session the operations of a transaction touch
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/session/cue.hpp"
#include "server/session/document.hpp"

namespace continuo::control {

/// A place that is touched, as the document before the transaction names it, whatever the transaction moves.
struct Touch {
  std::string path;    // "": the whole, which only a lease of the whole covers
  bool below = false;  // and everything below it: it goes, or goes elsewhere
  int operation = 0;   // the one that does it
  friend bool operator==(const Touch&, const Touch&) = default;
};

/// `operations`, with those of the cues that they fire, make `after` of `before` (or did nothing yet: then both are the
/// same). `recording`: the nodes that record, whom a stop without names stops. Bound by the operations, and by the
/// connections where a node is removed. A member of Operation that is not known here does not compile.
[[nodiscard]] std::vector<Touch> touches_of(const session::Operations& operations, const session::Document& before,
                                            const session::Document& after, const std::set<std::string>& recording);

/// A part of the document.
struct Part {
  std::string path;             // "": the whole
  std::optional<rt::Uid> node;  // none: the whole
};
/// What is done at `touch` is done to this part, whose path in `before` this is.
[[nodiscard]] bool touches(const Touch& touch, const std::string& path);
/// One of them holds the other, or they are the same.
[[nodiscard]] bool overlap(const std::string& one, const std::string& other);
/// Where it is in a document, and nothing where it is not: its path of now is tried first.
[[nodiscard]] std::optional<std::string> path_in(const session::Document& document, const Part& part);

}  // namespace continuo::control
