// THREAD: any, one at a time - the document as the compiler sees it: processing nodes and what feeds them, no tree
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rt/node.hpp"
#include "server/session/document.hpp"

namespace continuo::session {

/// What a flat node does for the document's node whose uid it bears.
enum class FlatRole : std::uint8_t {
  join,  // the sum of its feeds; no rt node of its own (mixes, where there is more than one)
  device_in,
  device_out,
  player,
  generator,  // oscillator, noise
  processor,  // see processor.hpp
  fader,      // of a track or bus
  meter,
  meter_tap,  // the meter that tracks, buses, "in" and "out" have of themselves, and any other that is asked for
  recorder,
  recorder_tap,  // a recorder for a node that is none
  feedback_out,  // the two ends of a feedback, of which only the sound knows that they are one
  feedback_in,
  edge,        // on a feed; the uid is a serial number of the compiler's
  delay_line,  // on a feed, before its edge; the same
};

/// Names a flat node over plans: while the key stays, the rt node and its state stay. `variant` is what would make it
/// another node: the file of a player, the width of a fader.
struct FlatKey {
  rt::Uid uid = 0;
  FlatRole role = FlatRole::join;
  std::uint64_t variant = 0;
  friend auto operator<=>(const FlatKey&, const FlatKey&) = default;
};
struct FlatKeyHash {
  std::size_t operator()(const FlatKey& key) const noexcept {
    const std::uint64_t mixed = (key.uid * 16 + static_cast<std::uint64_t>(key.role)) * 0x9e3779b97f4a7c15u;
    return static_cast<std::size_t>((mixed ^ (mixed >> 29)) + key.variant * 0xbf58476d1ce4e5b9u);
  }
};

/// From a channel of the source to a channel of the node that is fed, both from 0.
struct ChannelLink {
  std::uint16_t from = 0;
  std::uint16_t to = 0;
  friend bool operator==(const ChannelLink&, const ChannelLink&) = default;
};

enum class FeedState : std::uint8_t {
  steady,
  rising,  // fades in since plan `since`
  dying,   // fades out since plan `since`; no longer part of the document
};

/// What comes from one node to another. The order of a node's feeds is the order of its sums: the document's, then what
/// dies.
struct Feed {
  std::uint32_t source = 0;  // index in the graph
  rt::Uid connection = 0;    // 0: inside a chain
  float factor = 1.0f;
  std::vector<ChannelLink> links;
  bool is_key = false;      // what a detector listens to
  std::uint32_t delay = 0;  // frames: compensate.hpp
  std::uint64_t line = 0;   // serial number of its delay line; 0: none
  FeedState state = FeedState::steady;
  std::uint64_t since = 0;        // plan id
  std::uint64_t edge = 0;         // serial number of its edge node; 0: none
  bool is_new = false;            // this compile made it
  std::uint32_t wait_frames = 0;  // a new one's rise begins so long after the plan is taken
};

struct FlatNode {
  FlatKey key;
  const rt::NodeKind* kind = nullptr;  // null: join
  FlatKey heir_of;                     // whose rows it starts with; uid 0: nobody's
  std::uint32_t in_count = 0;
  std::uint32_t out_count = 0;
  std::uint32_t main_in_count = 0;     // of a processor: what it was made for; inputs beyond are its key
  std::uint32_t size = 0;              // rt::Step::size
  std::uint32_t latency_frames = 0;    // its own, lookahead included
  std::uint32_t settle_frames = 0;     // see ProcessorShape
  bool has_tail = false;               // see ProcessorShape
  std::uint32_t arrival_frames = 0;    // how late its sound comes in: compensate.hpp
  std::uint32_t lookahead_frames = 0;  // by which its sound comes later than its key
  std::vector<Feed> feeds;
  const DocNode* doc = nullptr;  // null where the document no longer has it: it only fades out
  std::string path;              // of players, generators, meters and recorders
  enum class Sound : std::uint8_t {
    of_feeds,   // none of its own
    always,     // a generator, the device's inputs
    timeline,   // while the timeline rolls
    own_clock,  // a free player, or what a feedback gives: once it was there
  } sound = Sound::of_feeds;
};

struct FlatGraph {
  std::vector<FlatNode> nodes;
};

/// Indices so that every source comes before what it feeds. Shorter than the graph where there is a cycle: what lies on
/// it, or behind it, is missing.
[[nodiscard]] std::vector<std::uint32_t> topological_order(const FlatGraph& graph);

}  // namespace continuo::session
