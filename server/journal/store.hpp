// THREAD: any, one at a time (it waits for the disk) - the journal's file: events in the order in which they happened
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "continuo/v1/event.pb.h"
#include "server/base/result.hpp"

namespace continuo::journal {

/// SQLite in write-ahead mode: a kill costs nothing that was appended, a power cut the last moments at most, and the
/// file is whole either way.
class Store {
 public:
  /// Of edits, of lines of the log, of refusals, and of all else: none of these can push out another. The oldest go,
  /// some more than must.
  struct Bounds {
    std::int64_t edits = 100'000;
    std::int64_t others = 100'000;  // of each of the three
  };

  /// A file that is no journal, or a newer one's, is kept beside it under another name, and a new one begins; `told`
  /// says so.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file, std::string& told) {
    return open(file, told, Bounds());
  }
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file, std::string& told,
                                                           Bounds bounds);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  struct Entry {
    v1::Event event;  // its id is given here
    std::int64_t utc_ns = 0;
  };
  /// The file is still the one that was opened: nobody deleted or replaced it.
  [[nodiscard]] bool in_place() const;
  /// All or none.
  Result<> append(std::span<const Entry> entries);

  struct Query {
    std::optional<std::int64_t> since_ns;
    std::optional<std::int64_t> until_ns;
    std::uint64_t after_id = 0;
    std::vector<v1::Event::Kind> kinds;  // empty: all
    std::uint32_t limit = 200;
    bool last = false;
  };
  struct Found {
    std::vector<v1::Event> events;
    bool more = false;
  };
  [[nodiscard]] Result<Found> find(const Query& query);

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace continuo::journal
