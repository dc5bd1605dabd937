// THREAD: control - counters that should stand still: each time that one rises is a line of the journal
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "continuo/v1/system.pb.h"
#include "server/journal/journal.hpp"

namespace continuo::control {

/// At most one line a counter and second, which says by how much; what rises meanwhile is in the next.
class LossWatch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kEvery{1};

  explicit LossWatch(journal::Journal& journal) : journal_(journal) {}
  void look(const v1::GetStatusResponse::Counters& counters, Clock::time_point now);

 private:
  struct Seen {
    std::uint64_t value = 0;
    Clock::time_point told{};
  };
  journal::Journal& journal_;
  std::map<std::string, Seen> seen_;
};

}  // namespace continuo::control
