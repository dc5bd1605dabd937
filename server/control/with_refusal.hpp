// THREAD: any calls it, the control strand does it - an answer whose refusal the journal hears of
#pragma once

#include <string>
#include <utility>

#include "server/control/engine.hpp"
#include "server/control/journal_lines.hpp"

namespace continuo::control {

/// `what` was asked for by `origin`. The journal must outlive the answer.
template <class T>
[[nodiscard]] Done<T> with_refusal(journal::Journal& journal, std::string what, v1::Origin origin, Done<T> done) {
  return [&journal, what = std::move(what), origin = std::move(origin), done = std::move(done)](Result<T> result) {
    if (!result) journal.add(refusal_of(result.error(), what, origin));
    done(std::move(result));
  };
}

}  // namespace continuo::control
