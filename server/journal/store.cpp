#include "server/journal/store.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

namespace continuo::journal {
namespace {

constexpr int kVersion = 1;
constexpr int kBusyMs = 2000;

struct CloseDatabase {
  void operator()(sqlite3* open) const { sqlite3_close(open); }
};
struct EndStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, EndStatement>;

Error failure(sqlite3* database, const std::string& what) {
  const std::string why = database == nullptr ? "no memory" : sqlite3_errmsg(database);
  return make_error(ErrorKind::data_loss, "JOURNAL", "state.folder", "the event journal: " + what + ": " + why);
}

Result<> run(sqlite3* database, const char* text) {
  if (sqlite3_exec(database, text, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return failure(database, "cannot be written");
}

Result<Statement> prepare(sqlite3* database, const std::string& text) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(database, text.c_str(), -1, &made, nullptr) != SQLITE_OK)
    return failure(database, "cannot be read");
  return Statement(made);
}

Result<std::int64_t> number(sqlite3* database, const std::string& text) {
  Result<Statement> statement = prepare(database, text);
  if (!statement) return statement.error();
  if (sqlite3_step(statement->get()) != SQLITE_ROW) return failure(database, "cannot be read");
  return sqlite3_column_int64(statement->get(), 0);
}

/// Not a journal of ours where it fails.
Result<Handle> open_file(const std::filesystem::path& file) {
  sqlite3* made = nullptr;
  const int opened =
      sqlite3_open_v2(file.c_str(), &made, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle database(made);
  if (opened != SQLITE_OK) return failure(database.get(), "cannot be opened");
  sqlite3_busy_timeout(database.get(), kBusyMs);
  const Result<std::int64_t> version = number(database.get(), "PRAGMA user_version");
  if (!version) return version.error();
  if (*version != 0 && *version != kVersion)
    return make_error(ErrorKind::data_loss, "JOURNAL", "state.folder", "the event journal is of another version");
  for (const char* text :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA journal_size_limit=4194304",
        "CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY AUTOINCREMENT, utc_ns INTEGER NOT NULL,"
        " kind INTEGER NOT NULL, body BLOB NOT NULL)",
        "CREATE INDEX IF NOT EXISTS events_by_time ON events(utc_ns)",
        "CREATE INDEX IF NOT EXISTS events_by_kind ON events(kind, id)", "PRAGMA user_version=1"}) {
    if (Result<> done = run(database.get(), text); !done) return done.error();
  }
  return database;
}

std::filesystem::path aside(const std::filesystem::path& file) {
  std::error_code ignored;
  for (int i = 1;; ++i) {
    std::filesystem::path other = file.string() + ".old-" + std::to_string(i);
    if (!std::filesystem::exists(other, ignored)) return other;
  }
}

}  // namespace

struct Store::Database {
  Handle handle;
  Statement insert;
  Bounds bounds;
  std::filesystem::path file;
  struct stat opened{};
  struct Class {
    std::string where;  // of SQL
    std::int64_t count = 0;
  };
  std::array<Class, 4> classes{
      Class{"kind = " + std::to_string(v1::Event::KIND_EDIT)}, Class{"kind = " + std::to_string(v1::Event::KIND_LOG)},
      Class{"kind = " + std::to_string(v1::Event::KIND_REFUSAL)},
      Class{"kind NOT IN (" + std::to_string(v1::Event::KIND_EDIT) + "," + std::to_string(v1::Event::KIND_LOG) + "," +
            std::to_string(v1::Event::KIND_REFUSAL) + ")"}};

  [[nodiscard]] Class& class_of(v1::Event::Kind kind) {
    return classes[kind == v1::Event::KIND_EDIT      ? 0
                   : kind == v1::Event::KIND_LOG     ? 1
                   : kind == v1::Event::KIND_REFUSAL ? 2
                                                     : 3];
  }

  Result<> trim(Class& one, std::int64_t bound) {
    if (one.count <= bound) return {};
    const std::int64_t goes = std::min(one.count, one.count - bound + bound / 100 + 1);
    if (Result<> done = run(handle.get(), ("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE " + one.where +
                                           " ORDER BY id LIMIT " + std::to_string(goes) + ")")
                                              .c_str());
        !done)
      return done;
    one.count -= goes;
    return {};
  }
};

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& file, std::string& told, Bounds bounds) {
  Result<Handle> handle = open_file(file);
  if (!handle) {
    const std::filesystem::path other = aside(file);
    std::error_code problem;
    std::filesystem::rename(file, other, problem);
    if (problem) return handle.error();
    for (const char* end : {"-wal", "-shm"})
      std::filesystem::rename(file.string() + end, other.string() + end, problem);
    told = handle.error().message + "; it is kept as " + other.filename().string() + ", and a new one begins";
    handle = open_file(file);
    if (!handle) return handle.error();
  }
  auto database = std::make_unique<Database>();
  database->handle = *std::move(handle);
  database->bounds = bounds;
  database->file = file;
  stat(file.c_str(), &database->opened);
  Result<Statement> insert = prepare(database->handle.get(), "INSERT INTO events(utc_ns, kind, body) VALUES(?, ?, ?)");
  if (!insert) return insert.error();
  database->insert = *std::move(insert);
  for (Database::Class& one : database->classes) {
    const Result<std::int64_t> known = number(database->handle.get(), "SELECT COUNT(*) FROM events WHERE " + one.where);
    if (!known) return known.error();
    one.count = *known;
  }
  return std::unique_ptr<Store>(new Store(std::move(database)));
}

bool Store::in_place() const {
  struct stat now{};
  return stat(database_->file.c_str(), &now) == 0 && now.st_dev == database_->opened.st_dev &&
         now.st_ino == database_->opened.st_ino;
}

Result<> Store::append(std::span<const Entry> entries) {
  sqlite3* const handle = database_->handle.get();
  if (Result<> begun = run(handle, "BEGIN IMMEDIATE"); !begun) return begun;
  const auto before = database_->classes;
  const auto undo = [&](const Result<>& why) {
    database_->classes = before;
    static_cast<void>(run(handle, "ROLLBACK"));
    return why;
  };
  for (const Entry& entry : entries) {
    sqlite3_stmt* const insert = database_->insert.get();
    const std::string body = entry.event.SerializeAsString();
    sqlite3_reset(insert);
    sqlite3_bind_int64(insert, 1, entry.utc_ns);
    sqlite3_bind_int64(insert, 2, entry.event.kind());
    sqlite3_bind_blob64(insert, 3, body.data(), body.size(), SQLITE_TRANSIENT);
    const int done = sqlite3_step(insert);
    sqlite3_reset(insert);
    if (done != SQLITE_DONE) return undo(failure(handle, "cannot be written"));
    ++database_->class_of(entry.event.kind()).count;
  }
  for (Database::Class& one : database_->classes) {
    const bool edits = &one == database_->classes.data();
    const Result<> done = database_->trim(one, edits ? database_->bounds.edits : database_->bounds.others);
    if (!done) return undo(done);
  }
  if (Result<> done = run(handle, "COMMIT"); !done) return undo(done);
  return {};
}

Result<Store::Found> Store::find(const Query& query) {
  std::string text = "SELECT id, body FROM events WHERE id > ?1";
  if (query.since_ns) text += " AND utc_ns >= " + std::to_string(*query.since_ns);
  if (query.until_ns) text += " AND utc_ns <= " + std::to_string(*query.until_ns);
  if (!query.kinds.empty()) {
    std::string kinds;
    for (const v1::Event::Kind kind : query.kinds) kinds += (kinds.empty() ? "" : ",") + std::to_string(kind);
    text += " AND kind IN (" + kinds + ")";
  }
  text += query.last ? " ORDER BY id DESC LIMIT ?2" : " ORDER BY id LIMIT ?2";
  Result<Statement> statement = prepare(database_->handle.get(), text);
  if (!statement) return statement.error();
  sqlite3_bind_int64(statement->get(), 1, static_cast<std::int64_t>(query.after_id));
  sqlite3_bind_int64(statement->get(), 2, static_cast<std::int64_t>(query.limit) + (query.last ? 0 : 1));
  Found found;
  int step = 0;
  while ((step = sqlite3_step(statement->get())) == SQLITE_ROW) {
    if (found.events.size() == query.limit) {
      found.more = true;
      break;
    }
    v1::Event event;
    const auto size = sqlite3_column_bytes(statement->get(), 1);
    event.ParseFromArray(sqlite3_column_blob(statement->get(), 1), size);
    event.set_id(static_cast<std::uint64_t>(sqlite3_column_int64(statement->get(), 0)));
    found.events.push_back(std::move(event));
  }
  if (step != SQLITE_ROW && step != SQLITE_DONE) return failure(database_->handle.get(), "cannot be read");
  if (query.last) std::ranges::reverse(found.events);
  return found;
}

}  // namespace continuo::journal
