#include "server/control/request_ids.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <span>
#include <utility>

#include "server/media/sha256.hpp"

namespace continuo::control {
namespace {

using google::protobuf::io::ArrayInputStream;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr std::string_view kHead = "continuo request ids 1\n";
constexpr std::size_t kDigits = 64;  // of the digest at the end

/// Numbers and texts, one after the other.
class Writer {
 public:
  explicit Writer(std::string& out) : stream_(&out), coded_(&stream_) {}
  void number(std::uint64_t value) { coded_.WriteVarint64(value); }
  void text(const std::string& value) {
    number(value.size());
    coded_.WriteString(value);
  }

 private:
  StringOutputStream stream_;
  CodedOutputStream coded_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes)
      : stream_(bytes.data(), static_cast<int>(bytes.size())), coded_(&stream_), left_(bytes.size()) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    good_ = good_ && coded_.ReadVarint64(&value);
    return good_ ? value : 0;
  }
  std::string text() {
    std::string value;
    const std::uint64_t size = number();
    good_ = good_ && size <= left_ && coded_.ReadString(&value, static_cast<int>(size));
    return good_ ? value : std::string();
  }
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() { return good_ && coded_.CurrentPosition() == static_cast<int>(left_); }

 private:
  ArrayInputStream stream_;
  CodedInputStream coded_;
  const std::size_t left_;
  bool good_ = true;
};

std::string print_entry(const KeptRequest& entry) {
  std::string out;
  Writer writer(out);
  writer.text(entry.named->identity);
  writer.text(entry.named->id);
  writer.text(entry.named->content);
  writer.number(static_cast<std::uint64_t>(entry.named->utc_ns));
  const Outcome& outcome = *entry.outcome;
  writer.number(outcome.stand);
  writer.number(outcome.error ? 1 : 0);
  if (outcome.error) {
    writer.number(static_cast<std::uint64_t>(outcome.error->kind));
    writer.text(outcome.error->reason);
    writer.text(outcome.error->field);
    writer.text(outcome.error->message);
  } else {
    writer.text(outcome.response.SerializeAsString());
  }
  return out;
}

bool read_entry(Reader& reader, RequestIds& ids) {
  auto named = std::make_shared<KeptRequest::Named>();
  auto outcome = std::make_shared<Outcome>();
  named->identity = outcome->identity = reader.text();
  named->id = reader.text();
  named->content = reader.text();
  named->utc_ns = static_cast<std::int64_t>(reader.number());
  outcome->stand = reader.number();
  outcome->known = outcome->final = true;
  if (reader.number() != 0) {
    const std::uint64_t kind = reader.number();
    if (kind > static_cast<std::uint64_t>(ErrorKind::configuration)) return false;
    const std::string reason = reader.text();
    const std::string field = reader.text();
    outcome->error = make_error(static_cast<ErrorKind>(kind), reason, field, reader.text());
  } else if (!outcome->response.ParseFromString(reader.text())) {
    return false;
  }
  ids.entries.push_back({std::move(named), std::move(outcome)});
  return reader.good();
}

Error broken(const char* why) {
  return make_error(ErrorKind::data_loss, "REQUEST_IDS_LOST", "", std::string("the request ids ") + why);
}

}  // namespace

std::vector<KeptRequest> RequestIds::counting(const std::string& sha256) && {
  std::uint64_t stand = 0;
  for (const SavedText& saved : {before, next}) {
    if (!sha256.empty() && saved.sha256 == sha256) stand = std::max(stand, saved.stand);
  }
  std::erase_if(entries, [stand](const KeptRequest& entry) { return entry.outcome->stand > stand; });
  return std::move(entries);
}

std::string sha256_of(std::string_view text) {
  media::Sha256 digest;
  digest.add(std::as_bytes(std::span(text)));
  return digest.hex();
}

std::string print_request_ids(const RequestIds& ids) {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (auto entry = ids.entries.rbegin(); entry != ids.entries.rend(); ++entry) {
    std::string text = print_entry(*entry);
    if (bytes + text.size() > RequestIds::kMaxBytes) break;
    bytes += text.size();
    texts.push_back(std::move(text));
  }
  std::string out(kHead);
  std::string head;
  {
    Writer writer(head);
    for (const SavedText& saved : {ids.before, ids.next}) {
      writer.text(saved.sha256);
      writer.number(saved.stand);
    }
    writer.number(texts.size());
  }
  out += head;
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) out += *text;
  return out + sha256_of(out);
}

Result<RequestIds> parse_request_ids(std::string_view bytes) {
  if (bytes.size() > 2 * RequestIds::kMaxBytes) return broken("are too long to be any");
  if (!bytes.starts_with(kHead) || bytes.size() < kHead.size() + kDigits) return broken("have another form");
  const std::string_view body = bytes.substr(0, bytes.size() - kDigits);
  if (sha256_of(body) != bytes.substr(body.size())) return broken("are cut off or have wrong bits");
  Reader reader(body.substr(kHead.size()));
  RequestIds ids;
  for (SavedText* saved : {&ids.before, &ids.next}) {
    saved->sha256 = reader.text();
    saved->stand = reader.number();
  }
  const std::uint64_t count = reader.number();
  if (!reader.good() || count > RequestLog::kKept) return broken("have another form");
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!read_entry(reader, ids)) return broken("have another form");
  }
  if (!reader.at_end()) return broken("have another form");
  return ids;
}

}  // namespace continuo::control
