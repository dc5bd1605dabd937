#include "server/control/job_store.hpp"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <sstream>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/state_file.hpp"
#include "server/control/uid_source.hpp"

namespace continuo::control {
namespace {

namespace fs = std::filesystem;
namespace json = google::protobuf::util;

constexpr std::size_t kMostBytes = 4u << 20;  // of one job's file
constexpr std::size_t kMostNumber = 64;
constexpr std::uint64_t kMostId = std::uint64_t{1} << 53;
constexpr const char* kEnding = ".job";

std::optional<std::uint64_t> id_of(const fs::path& file) {
  const std::string text = file.stem().string();
  std::uint64_t id = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (file.extension() != kEnding || status != std::errc{} || end != text.data() + text.size() || id >= kMostId)
    return std::nullopt;
  return id;
}

/// Two lines: whose request it was, and the job.
std::string text_of(const JobStore::Record& record) {
  google::protobuf::Struct about;
  (*about.mutable_fields())["request_id"].set_string_value(record.request_id);
  (*about.mutable_fields())["content"].set_string_value(record.content);
  (*about.mutable_fields())["begun_ns"].set_string_value(std::to_string(record.begun_ns));
  std::string first, second;
  if (!json::MessageToJsonString(about, &first).ok() || !json::MessageToJsonString(record.job, &second).ok()) return "";
  return first + "\n" + second + "\n";
}

std::optional<JobStore::Record> parse(const std::string& text) {
  std::istringstream in(text);
  std::string first, second;
  google::protobuf::Struct about;
  JobStore::Record record;
  if (!std::getline(in, first) || !std::getline(in, second)) return std::nullopt;
  json::JsonParseOptions newer;
  newer.ignore_unknown_fields = true;
  if (!json::JsonStringToMessage(first, &about).ok() || !json::JsonStringToMessage(second, &record.job, newer).ok())
    return std::nullopt;
  const auto field = [&](const char* name) {
    const auto found = about.fields().find(name);
    return found == about.fields().end() ? std::string() : found->second.string_value();
  };
  record.request_id = field("request_id");
  record.content = field("content");
  const std::string begun = field("begun_ns");
  std::from_chars(begun.data(), begun.data() + begun.size(), record.begun_ns);
  return record;
}

void write(const fs::path& file, const std::string& text) {
  std::string error;
  if (!write_whole(file, text, error)) log::warning("jobs: {}", error);
}

}  // namespace

JobStore::JobStore(fs::path folder) : folder_(std::move(folder)) {
  std::error_code none;
  fs::create_directories(folder_, none);
  read();
  std::uint64_t stored = 0;
  const auto text = read_state(folder_ / "next", kMostNumber);
  if (text && *text && std::istringstream(**text) >> stored && stored < kMostId) next_ = std::max(next_, stored);
  reserved_ = next_ + kBlock;
  std::string error;
  if (write_whole(folder_ / "next", std::to_string(reserved_) + "\n", error)) return;
  next_ = std::max(next_, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                         std::chrono::system_clock::now().time_since_epoch())
                                                         .count()));
  reserved_ = kMostId;
  log::warning("jobs are not kept over a restart: {}; make the state folder writable", error);
}

fs::path JobStore::file_of(std::uint64_t id) const { return folder_ / (std::to_string(id) + kEnding); }

void JobStore::read() {
  std::error_code error;
  std::vector<std::pair<std::uint64_t, fs::path>> files;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end && files.size() < kMostRead;
       at.increment(error)) {
    if (const auto id = id_of(at->path())) files.emplace_back(*id, at->path());
  }
  std::ranges::sort(files);
  for (const auto& [id, file] : files) {
    next_ = std::max(next_, id + 1);
    std::error_code none;
    const auto text = read_state(file, kMostBytes);
    auto record = text && *text ? parse(**text) : std::nullopt;
    if (record && record->job.job_id() == id) {
      found_.push_back(*std::move(record));
    } else {
      log::warning("jobs: {} is no job's file, and is removed", file.string());
      fs::remove(file, none);
    }
  }
}

std::uint64_t JobStore::next_id() {
  if (reserved_ - next_ == kBlock / 2) {
    // In good time and aside.
    reserved_ += kBlock;
    worker_.post([file = folder_ / "next", text = std::to_string(reserved_) + "\n"] { write(file, text); });
  }
  return next_++;
}

void JobStore::keep(const Record& record) {
  worker_.post([file = file_of(record.job.job_id()), record] {
    if (const std::string text = text_of(record); !text.empty()) write(file, text);
  });
}

void JobStore::forget(std::uint64_t id) {
  worker_.post([file = file_of(id)] { ::unlink(file.c_str()); });
}

}  // namespace continuo::control
