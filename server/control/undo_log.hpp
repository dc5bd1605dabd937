// THREAD: control - what can still be undone and redone, and by whom
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "server/base/result.hpp"
#include "server/session/document_change.hpp"

namespace continuo::control {

/// What the last transactions changed, each with what it takes to put that back. Of one epoch: another session has
/// nothing to undo. Bounds: kMax transactions and kMaxBytes, beside the document itself; the oldest goes first.
class UndoLog {
 public:
  static constexpr std::size_t kMax = 500;
  static constexpr std::size_t kMaxBytes = 64u << 20;

  /// An edit; the undo of one; what takes an undo back, and can be undone like an edit.
  enum class Kind : std::uint8_t { edit, undo, redo };
  struct Entry {
    std::uint64_t id = 0;
    std::string identity;
    Kind kind = Kind::edit;
    session::DocumentChange change;  // empty: nothing that is undone (cues)
    bool undone = false;
    std::uint64_t gesture = 0;  // of streamed values: those of one are one entry; 0: none
    std::size_t bytes = 0;
  };

  /// Whose `id` it is, or the last one of `identity` that changed something and is not undone. The pointer holds until
  /// the next add(). NOT_FOUND, NOTHING_TO_UNDO; FAILED_PRECONDITION, UNDONE.
  [[nodiscard]] Result<const Entry*> to_undo(std::optional<std::uint64_t> id, const std::string& identity) const;
  /// The undo with that id, or the last one of `identity` that was not taken back and behind which it changed nothing.
  /// NOT_FOUND, NOTHING_TO_REDO; FAILED_PRECONDITION, UNDONE.
  [[nodiscard]] Result<const Entry*> to_redo(std::optional<std::uint64_t> id, const std::string& identity) const;

  /// The document was changed. `of`: the entry that this one takes back; 0: none.
  void add(Entry entry, std::uint64_t of);
  void clear();
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] const Entry* find(std::uint64_t id) const;
  void join(Entry& entry, session::DocumentChange further);

  std::deque<Entry> entries_;  // by id
  std::size_t bytes_ = 0;
};

}  // namespace continuo::control
