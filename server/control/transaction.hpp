// THREAD: control - one transaction on its way, and what its operations say about transport and takes
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/control/transactions.hpp"
#include "server/session/cue.hpp"

namespace continuo::control {

/// Of the timeline: 370 years at 96 kHz; no product of rates overflows.
inline constexpr std::int64_t kLatestFrame = std::int64_t{1} << 50;

struct Transactions::Transaction {
  v1::ApplyRequest request;
  session::Expanded expanded;  // its operations, with those of the cue that it fires
  std::shared_ptr<Outcome> outcome;
  JobQueue::Finish finish;
  bool own = false;                        // the daemon's own doing
  std::shared_ptr<TakeBack> back;          // an undo or redo
  bool streamed = false;                   // values of a stream: see Change.streamed
  std::uint64_t gesture = 0;               // theirs: equal ones are one step of undo
  bool urgent = false;                     // it may come before others, and stands aside for none
  MediaCache::Found looked_at;             // files that were probed before it stood aside
  std::vector<Takes::Order> taken_orders;  // and takes that were opened then
  std::vector<Takes::Opened> taken;
  std::uint64_t id = 0;             // once it is sure to be committed, or held
  Result<> in_time;                 // its time was not past when it arrived, however long it waits in line
  std::optional<Due> due;           // it is for later: validated, and held
  Scheduled::Ptr entry;             // it was held, and falls due
  rt::FrameCount frame = rt::kNow;  // at which it shall be applied
  DocumentPtr before;               // the document that it finds
  DocumentPtr document;             // after it
  session::EditResult edit;
  Delta delta;
  std::set<std::string> files;  // that the document names afterwards
  MediaCache::Found found;
  std::vector<Takes::Order> orders;
  bool files_checked = false;       // that its takes name
  std::string order_field;          // of the record_start, for errors
  std::vector<Takes::Ref> started;  // takes
  std::vector<Takes::Ref> stopped;  // by a RecordStop: it is done once they are closed
  bool stops_takes = false;         // it has a RecordStop
  bool touches_cues = false;        // what the next cue needs may be another thing after it
};

template <class Answer>
void Transactions::wait_aside(const Ptr& tx, const std::function<void(std::function<void(Answer)>)>& ask,
                              std::function<void(Answer)> then, std::function<void(Answer)> passed) {
  if (tx->urgent) return ask(std::move(then));
  parts_.jobs.stand_aside();
  ask([this, tx, then = std::move(then), passed = std::move(passed)](Answer answer) {
    parts_.jobs.go_on([this, tx, then, passed, answer = std::move(answer)](bool others) mutable {
      if (!others) return then(std::move(answer));
      if (passed) passed(std::move(answer));
      begin_again(tx);
    });
  });
}

/// The operation that names this file, as an error's field.
[[nodiscard]] std::string field_of_file(const session::Operations& operations, const std::string& file);

/// Each record_start becomes one a take, with the take's file: so that watchers know what is recorded where.
void name_files(std::vector<v1::Operation>& accepted, const std::vector<Takes::Opened>& takes);

}  // namespace continuo::control
