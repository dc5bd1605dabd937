// THREAD: audio - where a player is, as one snapshot
#pragma once

#include <algorithm>

#include "rt/nodes/player.hpp"

namespace continuo::rt {

/// Where it is when it has sounded all before item frame `at`, or will.
inline void publish(PlayerNode::Audio& a, FrameCount at, bool rolling, FrameCount engine_frame) noexcept
    RT_NONBLOCKING {
  using State = PlayReading::State;
  PlayReading r{.engine_frame = engine_frame, .length = a.source->length};
  r.state = !rolling ? State::stopped : at < 0 ? State::waiting : a.dry ? State::late : State::playing;
  const FrameCount place = std::max<FrameCount>(at, 0);
  if (const PlayTable* const table = a.source->table) {
    if (place < a.item_begin || place >= a.item_until) {
      const PlayTable::Place found = table->find(place);
      a.row = found.row;
      a.item_begin = found.begin;
      a.item_until = found.until;
    }
    r.revision = table->revision;
    r.count = table->count;
    r.length = table->length;
    r.position = a.row == nullptr ? table->end : a.row->before + (place - a.item_begin);
    if (a.row != nullptr) {
      r.item = a.row->uid;
      r.number = a.row->number;
      r.item_position = place - a.item_begin;
      r.item_frames = a.row->frames;
    }
  } else {
    r.position = place;
  }
  r.position = std::min(r.position, r.length);
  if (rolling && (a.source->table != nullptr ? a.row == nullptr : place >= r.length)) r.state = State::ended;
  a.slot->publish(r);
}

}  // namespace continuo::rt
