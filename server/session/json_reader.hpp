// THREAD: any, one at a time - strict JSON, read in one pass by whoever knows the schema
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/base/result.hpp"
#include "server/session/names.hpp"

namespace continuo::session {

/// Pulls values out of a text in the order in which they come; nothing is kept, so a hostile text costs its own length
/// and no more. Stricter than a general reader: duplicate keys, NaN, Infinity, numbers beyond double, unpaired
/// surrogates, bad UTF-8, NUL, trailing text and deep nesting are errors. After an error every call fails, and error()
/// has the first one, with the field's path and the line.
class JsonReader {
 public:
  enum class Kind { null, boolean, number, string, array, object, nothing };
  /// Brackets open at once; a tree of nodes at its greatest depth needs 2 a level.
  static constexpr std::size_t kMaxNesting = 100;

  /// `text` must outlive the reader. `root` begins every field's path; `lines` says whether errors name lines.
  JsonReader(std::string_view text, std::string root, bool lines)
      : text_(text), field_(std::move(root)), lines_(lines) {}

  [[nodiscard]] Kind peek();
  [[nodiscard]] bool boolean(bool& out);
  [[nodiscard]] bool number(double& out);
  [[nodiscard]] bool string(std::string& out);

  /// `member(key)` must read the value, or fail(). Where keys are not of a fixed set, finding duplicates is left
  /// to the caller (`unique_keys` false), who knows how many there may be.
  template <class Member>
  [[nodiscard]] bool object(Member&& member, bool unique_keys = true) {
    if (!open('{', "an object")) return false;
    std::vector<std::string> seen;
    std::string key;
    for (bool first = true; next_item('}', first); first = false) {
      if (!key_of_member(key) || (unique_keys && !note(seen, key))) return false;
      const std::size_t length = field_.size();
      field_ += (field_.empty() ? "" : ".") + field_name(key);
      if (!member(std::as_const(key))) return false;
      field_.resize(length);
    }
    return !error_;
  }

  /// `item(index)` must read the item.
  template <class Item>
  [[nodiscard]] bool array(Item&& item) {
    if (!open('[', "a list")) return false;
    std::size_t index = 0;
    for (; next_item(']', index == 0); ++index) {
      const std::size_t length = field_.size();
      field_ += "[" + std::to_string(index) + "]";
      if (!item(index)) return false;
      field_.resize(length);
    }
    return !error_;
  }

  /// Any value, unread.
  [[nodiscard]] bool skip();
  /// The same, and its text, for another reader. Duplicate keys are errors here, too.
  [[nodiscard]] bool raw(std::string_view& out);

  /// Nothing but white space may follow.
  [[nodiscard]] bool end();

  /// False, for the caller to pass on. The first error stays.
  bool fail(std::string reason, std::string message);
  bool fail(Error error);
  [[nodiscard]] const std::string& field() const { return field_; }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  [[nodiscard]] bool open(char bracket, const char* wanted);
  [[nodiscard]] bool next_item(char closing, bool first);
  [[nodiscard]] bool key_of_member(std::string& key);
  [[nodiscard]] bool note(std::vector<std::string>& seen, const std::string& key);
  [[nodiscard]] bool escape(std::string& out);
  [[nodiscard]] bool hex4(std::uint32_t& out);
  [[nodiscard]] bool word(std::string_view wanted);
  bool mismatch(const char* wanted);
  void skip_space();
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }

  [[nodiscard]] bool skip(bool unique_keys);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
  std::string field_;
  bool lines_;
  std::optional<Error> error_;
};

}  // namespace continuo::session
